"""Attributes on their entity: which drug a dose belongs to, which finding a site, which event a date.

Every attribute looks at the mentions round it that can own one (`medtext.link_pairs`), and a network says how likely each
is (`link_network`); the likeliest owns it, if it is likely enough. Of a drug and its fluid, rules say whose it is (`mixtures`),
as they do of the items of a list (`listed`); a result in a table belongs to the test at the head of its column (`tables`), and
a number in the next sentence is a second result only of words that say so (`rules/again.txt`).
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter, itemgetter

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.link_network import LinkNetwork
from medtext.components.listed import Lists
from medtext.components.mixtures import Mixture, Mixtures
from medtext.components.ner import learned
from medtext.components.tables import in_tables
from medtext.findings import Link, findings, text_of
from medtext.link_pairs import RESULT, UNIT, Pairs, pairs_of
from medtext.rulebook import any_of, load_toml, load_words, rules_dir
from medtext.schema import Mention

ENOUGH = 0.35
"""An attribute with no owner this likely hangs on none."""
DIGIT = re.compile(r"\d")
BEFORE = 4  # characters before a sentence, in which the stop of the one before it stands
STOP = re.compile(r"[^\s.](?<!\bft)\.\s*$")  # "Hgb ........ 8.2" and "5 ft. 2" go on


class AttributeLinker:
    """The spaCy component: fills `findings(doc).links`."""

    def __init__(self, network: LinkNetwork, mixtures: Mixtures, lists: Lists, again: Iterable[str]) -> None:
        self.network, self._mixtures, self._lists = network, mixtures, lists
        self._again = re.compile(rf"\b(?:{any_of(again)})\b", re.IGNORECASE)

    def __call__(self, doc: Doc) -> Doc:
        found, text = findings(doc), text_of(doc)
        starts = [sentence.start_char for sentence in doc.sents]
        pairs = pairs_of(text, found.mentions, starts)
        if len(pairs) and found.read is not None:
            likely = self.network(doc, found.read, found.mentions, pairs)
            likely[self._orphans(text, found.mentions, starts, pairs)] = 0
            likely[self._lists(text, found.mentions, pairs)] = 0
            links = dict(linked(pairs, likely.tolist()))
            found.links = {place: link for place, link in links.items() if not _alone(found.mentions, place, links)}
            found.links |= dict(self._mixtures(text, found.mentions, found.links))
            tabled = {**found.links, **dict(in_tables(text, found.mentions, found.links))}
            found.links = {place: link for place, link in tabled.items() if link}
        return doc

    def _orphans(self, text: str, mentions: Sequence[Mention], starts: Sequence[int], pairs: Pairs) -> list[int]:
        """The pairs of a number and a test that has its result in an earlier sentence: "Lactate 2.8. Spiked 39.1."."""
        later = (pairs.column("alike") > 0) & (pairs.column("sentences") > 0) & (pairs.column("lines") == 0)
        orphans: dict[tuple[int, int], int] = {}
        for row in np.flatnonzero(later & (pairs.column("before") > 0)).tolist():
            place, owner = int(pairs.attributes[row]), int(pairs.owners[row])
            begin = starts[bisect_right(starts, mentions[place].begin) - 1]
            first = bisect_left(mentions, begin, lo=owner + 1, hi=place, key=attrgetter("begin"))
            others = (other for other in range(first, place) if mentions[other].type == RESULT)
            if self._is_new(text, begin, mentions[place]) and all((other, owner) in orphans for other in others):
                orphans[place, owner] = row
        return list(orphans.values())

    def _is_new(self, text: str, begin: int, mention: Mention) -> bool:
        """Whether a mention is a number, in a sentence from `begin` that does not say that it is a second one."""
        number = mention.type == RESULT and DIGIT.search(text, mention.begin, mention.end)
        stopped = STOP.search(text[max(0, begin - BEFORE) : begin])
        return bool(number and stopped) and not self._again.search(text, begin, mention.end)


def linked(pairs: Pairs, likely: Iterable[float]) -> Iterator[tuple[int, Link]]:
    """The place of each attribute that has an owner, with the link to it; of two that are as likely, to the first."""
    judged = zip(pairs.attributes.tolist(), pairs.owners.tolist(), likely, strict=True)
    for place, rivals in groupby(judged, key=itemgetter(0)):
        _, owner, score = max(rivals, key=itemgetter(2))
        if score >= ENOUGH:
            yield place, Link(owner, score, "links")


def _alone(mentions: Sequence[Mention], place: int, links: Container[int]) -> bool:
    """Whether a mention is the unit of the number right before it, and that hangs on nothing."""
    if mentions[place].type != UNIT or place == 0 or place - 1 in links:
        return False
    number = mentions[place - 1]
    return number.type == RESULT and mentions[place].begin - number.end <= 1


@Language.factory("medtext_attributes", default_config={"rules": "", "model": "fast"})
def create_attributes(nlp: Language, name: str, rules: str, model: str) -> AttributeLinker:  # noqa: ARG001
    mixtures = Mixtures(load_toml(rules_dir(rules) / "mixtures.toml", "mixture", Mixture))
    again = load_words(rules_dir(rules) / "again.txt")
    lists = Lists(load_words(rules_dir(rules) / "goes_on.txt"))
    return AttributeLinker(LinkNetwork(learned(model, "links.onnx")), mixtures, lists, again)
