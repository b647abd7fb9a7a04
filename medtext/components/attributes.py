"""Attributes on their entity: which drug a dose belongs to, which finding a site, which event a date.

Every attribute looks at the mentions round it that can own one, and a logistic regression over what lies between the
two (`medtext.link_features`) says how likely each is; the likeliest owns it, if it is likely enough for an attribute of
that type. Weights and thresholds are learned from gold by `medtext/training/links.py` and stand in the model's `links.tsv`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.ner import learned
from medtext.findings import Link, findings, text_of
from medtext.link_features import (
    DEPENDENT,
    SITE,
    Layout,
    WordFeature,
    attribute_features,
    pair_features,
    shape_features,
    site_features,
)
from medtext.regression import LARGEST, logistic, read_weights
from medtext.schema import Mention

BIRTH = "BIRTH_DATE"  # says who somebody is, and dates nothing else
ENOUGH = "enough|"
"""Begins the name of a threshold in `links.tsv`: an attribute of that type with no owner this likely hangs on none."""
USUAL = 0.3  # the threshold of a type that has none of its own
REMEMBERED = 1 << 16  # shapes whose sums are kept

Weights = Mapping[str, float]
"""By feature; `slot=word` is the feature of a word in a slot."""
NONE: Weights = {}


class AttributeLinker:
    """The spaCy component: fills `findings(doc).links`."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._words: dict[str, dict[str, float]] = {}
        for feature, weight in weights.items():
            slot, _, word = feature.partition("=")
            self._words.setdefault(slot, {})[word] = weight
        self._of_shape = lru_cache(REMEMBERED)(lambda shape: self._sum(shape_features(shape)))

    def __call__(self, doc: Doc) -> Doc:
        found = findings(doc)
        starts = [sentence.start_char for sentence in doc.sents]
        found.links = dict(self.links(text_of(doc), found.mentions, starts))
        return doc

    def links(self, text: str, mentions: Sequence[Mention], starts: Sequence[int]) -> Iterator[tuple[int, Link]]:
        """The place of each attribute that has a parent, with the link to it. `starts` are sentences' offsets.

        Sites first: a direction belongs to what owns the site beside it ("pain in the left knee").
        """
        layout = Layout(text, mentions, starts)
        owners: dict[int, int] = {}
        for place in attributes_in_order(mentions):
            kind = mentions[place].type
            total, _, owner = max(self.totals(layout, place, owners), default=(-LARGEST, 0, 0))
            score = logistic(total)
            if score >= self.weights.get(ENOUGH + kind, USUAL):
                if kind == SITE:
                    owners[place] = owner
                yield place, Link(owner, score, "links")

    def totals(self, layout: Layout, place: int, owners: Mapping[int, int]) -> Iterator[tuple[float, int, int]]:
        """Each possible owner of the attribute at `place`: its log odds, its nearness, its place."""
        own = self._sum_of_words(attribute_features(layout, place))
        for pair in layout.pairs(place):
            total = own + self._of_shape(pair.shape) + self._sum_of_words(pair_features(layout, place, pair))
            if owners:
                total += self._sum(site_features(pair.shape.kind, place, pair.owner, owners))
            yield total, -abs(pair.owner - place), pair.owner

    def _sum(self, features: Iterable[str]) -> float:
        return sum([self.weights.get(feature, 0.0) for feature in features])

    def _sum_of_words(self, features: Iterable[WordFeature]) -> float:
        return sum([self._words.get(slot, NONE).get(word, 0.0) for slot, word in features])


def attributes_in_order(mentions: Sequence[Mention]) -> list[int]:
    """The places of what can hang on an entity, sites first."""
    places = [place for place, mention in enumerate(mentions) if mention.type in DEPENDENT and mention.subtype != BIRTH]
    return sorted(places, key=lambda place: mentions[place].type != SITE)


@Language.factory("medtext_attributes", default_config={"rules": "", "model": "fast"})
def create_attributes(nlp: Language, name: str, rules: str, model: str) -> AttributeLinker:  # noqa: ARG001
    return AttributeLinker(read_weights(learned(model, "links.tsv")))
