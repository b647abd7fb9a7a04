"""Attributes on their entity: which drug a dose belongs to, which finding a site, which event a date.

Every attribute looks at the mentions round it that can own one (`medtext.link_pairs`), and a network says how likely each
is (`link_network`); the likeliest owns it, if it is likely enough. Of a drug and its fluid, rules say whose it is (`mixtures`).
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.link_network import LinkNetwork
from medtext.components.mixtures import Mixture, Mixtures
from medtext.components.ner import learned
from medtext.findings import Link, findings, text_of
from medtext.link_pairs import Pairs, pairs_of
from medtext.rulebook import load_toml, rules_dir

ENOUGH = 0.35
"""An attribute with no owner this likely hangs on none."""


class AttributeLinker:
    """The spaCy component: fills `findings(doc).links`."""

    def __init__(self, network: LinkNetwork, mixtures: Mixtures) -> None:
        self.network, self._mixtures = network, mixtures

    def __call__(self, doc: Doc) -> Doc:
        found, text = findings(doc), text_of(doc)
        pairs = pairs_of(text, found.mentions, [sentence.start_char for sentence in doc.sents])
        if len(pairs) and found.read is not None:
            found.links = dict(linked(pairs, self.network(doc, found.read, found.mentions, pairs).tolist()))
            found.links |= dict(self._mixtures(text, found.mentions, found.links))
        return doc


def linked(pairs: Pairs, likely: Iterable[float]) -> Iterator[tuple[int, Link]]:
    """The place of each attribute that has an owner, with the link to it; of two that are as likely, to the first."""
    judged = zip(pairs.attributes.tolist(), pairs.owners.tolist(), likely, strict=True)
    for place, rivals in groupby(judged, key=itemgetter(0)):
        _, owner, score = max(rivals, key=itemgetter(2))
        if score >= ENOUGH:
            yield place, Link(owner, score, "links")


@Language.factory("medtext_attributes", default_config={"rules": "", "model": "fast"})
def create_attributes(nlp: Language, name: str, rules: str, model: str) -> AttributeLinker:  # noqa: ARG001
    mixtures = Mixtures(load_toml(rules_dir(rules) / "mixtures.toml", "mixture", Mixture))
    return AttributeLinker(LinkNetwork(learned(model, "links.onnx")), mixtures)
