"""What could own each attribute of a note, and what lies between the two.

The same pairs serve training (`medtext/training/links.py`) and linking (`components/attributes.py`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from medtext.schema import ATTRIBUTES, CATEGORIES, Mention

SITE = "SYSTEM_ORGAN_SITE"
BIRTH = "BIRTH_DATE"  # says who somebody is, and dates nothing else
DEPENDENT = frozenset({*ATTRIBUTES, SITE, "TIME_EXPRESSION", "DATE"})
"""What can hang on an entity."""
NO_OWNER = frozenset({*ATTRIBUTES, "TIME_EXPRESSION", *CATEGORIES["PROTECTED_HEALTH_INFORMATION"]})
"""What owns nothing."""
RIVALS = 3  # possible owners to either side that are looked at
FAR = 300  # characters between an attribute and its entity, at most
MARKS = "(),-./:;|"
BARE = (False,) * len(MARKS)
MOST = {"before": 1, "rivals": RIVALS - 1, "alike": 3, "sentences": 2, "lines": 2, "length": 10}
"""The numbers of a pair, and the largest of each; what is larger is cut."""


class Pair(NamedTuple):
    """An attribute and a possible owner by their places among the mentions, and what lies between, as numbers.

    `before` is 1 where the owner stands before the attribute. `rivals` counts nearer mentions on that side that could own it,
    `alike` attributes of the same type between, `sentences` and `lines` what begins there; `length` is the number of bits
    of the distance in characters; `marks` say of each of MARKS whether it stands there, with anything else.
    """

    attribute: int
    owner: int
    before: int
    rivals: int
    alike: int
    sentences: int
    lines: int
    length: int
    marks: tuple[bool, ...]


def pairs_of(text: str, mentions: Sequence[Mention], starts: Sequence[int]) -> list[Pair]:
    """Every attribute with what could own it, from the nearest outwards, before it and then after it.

    `mentions` are sorted; `starts` are the sentences' offsets.
    """
    return list(_Layout(text, mentions, starts).pairs())


class _Layout:
    """A note's mentions among its sentences."""

    def __init__(self, text: str, mentions: Sequence[Mention], starts: Sequence[int]) -> None:
        self._text, self._mentions = text, mentions
        self._sentence = [bisect_right(starts, one.begin) for one in mentions]
        self._next_sentence = [bisect_left(starts, one.end) for one in mentions]
        self._owners = [place for place, one in enumerate(mentions) if one.type not in NO_OWNER]
        self._not_sites = [place for place in self._owners if mentions[place].type != SITE]
        self._alike: dict[str, list[int]] = {}
        for place, one in enumerate(mentions):
            self._alike.setdefault(one.type, []).append(place)

    def pairs(self) -> Iterator[Pair]:
        for place, one in enumerate(self._mentions):
            if one.type in DEPENDENT and one.subtype != BIRTH:
                owners = self._not_sites if one.type == SITE else self._owners
                here = bisect_left(owners, place)
                yield from self._side(place, 1, owners[max(here - RIVALS, 0) : here][::-1])
                yield from self._side(place, 0, owners[here : here + RIVALS])

    def _side(self, place: int, before: int, owners: Sequence[int]) -> Iterator[Pair]:
        mentions, alike = self._mentions, self._alike[self._mentions[place].type]
        for rivals, owner in enumerate(owners):
            first, last = (owner, place) if before else (place, owner)
            gap = self._text[mentions[first].end : mentions[last].begin]
            if len(gap) > FAR or "\n\n" in gap:
                return
            between = bisect_left(alike, last) - bisect_right(alike, first)
            sentences = max(self._sentence[last] - self._next_sentence[first], 0)
            yield Pair(
                place,
                owner,
                before,
                rivals,
                min(between, MOST["alike"]),
                min(sentences, MOST["sentences"]),
                min(gap.count("\n"), MOST["lines"]),
                min((len(gap) + 1).bit_length(), MOST["length"]),
                tuple([mark in gap for mark in MARKS]) if len(gap) > 1 else BARE,
            )
