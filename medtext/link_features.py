"""What is said of an attribute and of an entity that could own it: the features of a model's `links.tsv`.

The same functions serve training (`medtext/training/links.py`) and linking (`components/attributes.py`). There are hundreds
of pairs in a note, so what can be is worked out once: each mention's neighbouring words, by `Layout`, and the weight of
all that holds no word, a `Shape`, by the linker, which meets the same few shapes again and again.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from medtext.schema import ATTRIBUTES, CATEGORIES, Mention

SITE = "SYSTEM_ORGAN_SITE"
DEPENDENT = frozenset({*ATTRIBUTES, SITE, "TIME_EXPRESSION", "DATE"})
"""What can hang on an entity."""
NO_OWNER = frozenset({*ATTRIBUTES, "TIME_EXPRESSION", *CATEGORIES["PROTECTED_HEALTH_INFORMATION"]})
"""What owns nothing."""
RIVALS = 3  # possible owners to either side that are looked at
FAR = 300  # characters between an attribute and its entity, at most
SHORT = 14  # characters of a gap all of whose words are one feature
NEAR = 24  # characters in which a neighbouring word is looked for
MARKS = "(),-./:;|"

WordFeature = tuple[str, str]
"""A slot and the word in it."""


class Shape(NamedTuple):
    """An attribute's type, an owner's type and side ("before" or "after" the attribute), and what lies between.

    `rivals` counts nearer mentions on that side that could own it, `alike` attributes of the same type, `sentences` and
    `lines` what begins between; `length` is the number of bits of the distance; `marks` are the punctuation marks.
    """

    kind: str
    owner: str
    side: str
    rivals: int
    alike: int
    sentences: int
    lines: int
    length: int
    marks: str


class Pair(NamedTuple):
    """An attribute's possible owner: its place, the shape, and the words between (None where they are many)."""

    owner: int
    shape: Shape
    words: str | None


class Layout:
    """A note's mentions among its sentences, with their neighbouring words. `starts` are the sentences' offsets."""

    def __init__(self, text: str, mentions: Sequence[Mention], starts: Sequence[int]) -> None:
        self.text = text
        self.mentions = mentions
        self.head = [_last(text[one.begin : one.end]) for one in mentions]
        self.previous = [_last(text[max(one.begin - NEAR, 0) : one.begin].rpartition("\n")[2]) for one in mentions]
        self.following = [_first(text[one.end : one.end + NEAR]) for one in mentions]
        self._sentence = [bisect_right(starts, one.begin) for one in mentions]
        self._next_sentence = [bisect_left(starts, one.end) for one in mentions]
        self._owners = [place for place, one in enumerate(mentions) if one.type not in NO_OWNER]
        self._not_sites = [place for place in self._owners if mentions[place].type != SITE]
        self._alike: dict[str, list[int]] = {}
        for place, one in enumerate(mentions):
            self._alike.setdefault(one.type, []).append(place)

    def pairs(self, place: int) -> Iterator[Pair]:
        """What could own the attribute at `place`, from the nearest outwards, before it and then after it."""
        owners = self._not_sites if self.mentions[place].type == SITE else self._owners
        here = bisect_left(owners, place)
        yield from self._side(place, "before", owners[max(here - RIVALS, 0) : here][::-1])
        yield from self._side(place, "after", owners[here : here + RIVALS])

    def _side(self, place: int, side: str, owners: Sequence[int]) -> Iterator[Pair]:
        mentions, kind = self.mentions, self.mentions[place].type
        for rivals, owner in enumerate(owners):
            first, last = (owner, place) if side == "before" else (place, owner)
            gap = self.text[mentions[first].end : mentions[last].begin]
            if len(gap) > FAR or "\n\n" in gap:
                return
            alike = bisect_left(self._alike[kind], last) - bisect_right(self._alike[kind], first)
            sentences = self._sentence[last] - self._next_sentence[first]
            shape = shape_of(kind, mentions[owner].type, side, rivals, alike, sentences, gap)
            yield Pair(owner, shape, _words(gap) if len(gap) <= 2 * SHORT else None)


def shape_of(kind: str, owner: str, side: str, rivals: int, alike: int, sentences: int, gap: str) -> Shape:
    """The shape of a pair with this text between; large counts are cut."""
    marks = "".join([mark for mark in MARKS if mark in gap]) if gap != " " else ""
    length = (len(gap) + 1).bit_length()
    return Shape(kind, owner, side, rivals, min(alike, 3), min(sentences, 2), min(gap.count("\n"), 2), length, marks)


def shape_features(shape: Shape) -> list[str]:
    """The features that hold no word."""
    kind, owner, side, rivals, alike, sentences, lines, length, marks = shape
    head = f"{kind}|{side}"
    return [
        "bias",
        f"{kind}|{owner}",
        f"{head}|{owner}",
        f"{head}|rivals={rivals}",
        f"{head}|{owner}|rivals={rivals}",
        f"{head}|alike={alike}",
        f"{head}|sentences={sentences}",
        f"{head}|lines={lines}",
        f"{head}|length={length}",
        f"{head}|rivals={rivals}|sentences={min(sentences, 1)}|marks={marks}",
        f"{kind}|marks={marks}",
    ]


def attribute_features(layout: Layout, place: int) -> list[WordFeature]:
    """The attribute itself and its neighbours, which say whether anything owns it ("LUNGS:" stands alone)."""
    kind, end = layout.mentions[place].type, layout.mentions[place].end
    mark = layout.text[end : end + 1]
    return [
        (f"{kind}|word", layout.head[place]),
        (f"{kind}|previous", layout.previous[place]),
        (f"{kind}|following", layout.following[place]),
        (f"{kind}|mark", mark if mark in MARKS else " "),
    ]


def pair_features(layout: Layout, place: int, pair: Pair) -> list[WordFeature]:
    """The owner's head, and the words between: all of them where they are few, else the first and the last."""
    owner, shape, words = pair
    slots = slots_of(shape.kind, shape.side, shape.owner)
    first, last = (owner, place) if shape.side == "before" else (place, owner)
    if words is None:
        between = [(slots.first, layout.following[first]), (slots.last, layout.previous[last])]
    else:
        between = [(slots.gap, words), (slots.gap_of_owner, words)]
    return [(slots.owner, layout.head[owner]), *between]


class Slots(NamedTuple):
    """The slots of a pair's words."""

    owner: str
    first: str
    last: str
    gap: str
    gap_of_owner: str


@cache
def slots_of(kind: str, side: str, owner: str) -> Slots:
    head = f"{kind}|{side}"
    return Slots(f"{head}|owner", f"{head}|first", f"{head}|last", f"{head}|gap", f"{head}|{owner}|gap")


def site_features(kind: str, place: int, owner: int, owners: Mapping[int, int]) -> list[str]:
    """How the owner stands to the sites beside the attribute. `owners` are the owners of sites, by place."""
    if kind == SITE or not owners:
        return []
    beside = owner in (owners.get(place - 1), owners.get(place + 1))
    return [f"{kind}|owns the site beside"] * beside + [f"{kind}|is a site that is owned"] * (owner in owners)


def _words(gap: str) -> str | None:
    words = " ".join(gap.lower().split())
    return words if len(words) <= SHORT else None


def _first(text: str) -> str:
    return _word(text.split(None, 1)[:1])


def _last(text: str) -> str:
    return _word(text.rsplit(None, 1)[-1:])


def _word(words: list[str]) -> str:
    """The word in lower case; no word, or one with a digit in it, is an empty one."""
    if not words or not (words[0].isalpha() or not any(map(str.isdigit, words[0]))):
        return ""
    return words[0].lower()
