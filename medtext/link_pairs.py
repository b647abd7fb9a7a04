"""What could own each attribute of a note, and what lies between the two.

The same pairs serve training (`medtext/training/links.py`) and linking (`components/attributes.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medtext.schema import ATTRIBUTES, CATEGORIES, CATEGORY_OF, Mention

SITE, RESULT, UNIT = "SYSTEM_ORGAN_SITE", "TEST_VALUE", "TEST_UNIT"
BIRTH = "BIRTH_DATE"  # says who somebody is, and dates nothing else
DEPENDENT = frozenset({*ATTRIBUTES, SITE, "TIME_EXPRESSION", "DATE"})
"""What can hang on an entity."""
NO_OWNER = frozenset({*ATTRIBUTES, "TIME_EXPRESSION", *CATEGORIES["PROTECTED_HEALTH_INFORMATION"]})
"""What owns nothing."""
TYPES = {kind: place for place, kind in enumerate(CATEGORY_OF)}
RIVALS = 3  # possible owners to either side that are looked at
FAR = 300  # characters between an attribute and its entity, at most
MARKS = "(),-./:;|"
MOST = {"before": 1, "rivals": RIVALS - 1, "alike": 3, "sentences": 2, "lines": 2, "length": 10}
"""The numbers of a pair behind its two places, and the largest of each; what is larger is cut."""
COLUMNS = ("attribute", "owner", *MOST)
KIND_OF = np.zeros(128, dtype=np.int64)
"""1 for a line break, from 2 on one of MARKS, 0 for anything else; by code point, the last standing for all above."""
KIND_OF[[ord(mark) for mark in "\n" + MARKS]] = range(1, len(MARKS) + 2)
BITS = np.array([number.bit_length() for number in range(FAR + 2)])

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Attributes and their possible owners by their places among the mentions, and what lies between.

    `numbers` are pairs by `COLUMNS`: `before` is 1 where the owner stands before the attribute; `rivals` counts nearer
    mentions on that side that could own it, `alike` attributes of the same type between, `sentences` and `lines` what begins
    there; `length` is the number of bits of the distance in characters. `marks` say of each of MARKS whether it stands there,
    with anything else.
    """

    numbers: Numbers
    marks: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.numbers)

    def column(self, name: str) -> Numbers:
        """Of each pair, the number that `COLUMNS` calls so."""
        return self.numbers[:, COLUMNS.index(name)]

    @property
    def attributes(self) -> Numbers:
        return self.column("attribute")

    @property
    def owners(self) -> Numbers:
        return self.column("owner")


def pairs_of(text: str, mentions: Sequence[Mention], starts: Sequence[int]) -> Pairs:
    """Every attribute with what could own it, from the nearest outwards, before it and then after it.

    `mentions` are sorted; `starts` are the sentences' offsets.
    """
    begins = np.array([one.begin for one in mentions], dtype=np.int64)
    ends = np.array([one.end for one in mentions], dtype=np.int64)
    attributes, owners, rivals = _candidates(mentions)
    firsts, lasts = np.minimum(attributes, owners), np.maximum(attributes, owners)
    opens, closes = ends[firsts], begins[lasts]
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    kinds = KIND_OF[np.minimum(letters, len(KIND_OF) - 1)]
    places = np.flatnonzero(kinds)
    breaks = places[kinds[places] == 1]
    empty_lines = breaks[:-1][np.diff(breaks) == 1]
    near = closes - opens <= FAR
    near &= np.searchsorted(empty_lines, opens) == np.searchsorted(empty_lines, np.maximum(closes - 1, opens))
    attributes, owners, rivals, firsts, lasts, opens, closes = (
        column[near] for column in (attributes, owners, rivals, firsts, lasts, opens, closes)
    )
    between = np.maximum(closes - opens, 0)
    before = np.zeros((len(places) + 1, len(MARKS) + 2), dtype=np.int64)
    before[np.arange(1, len(places) + 1), kinds[places]] = 1
    before = before.cumsum(0)
    stand = before[np.searchsorted(places, closes)] - before[np.searchsorted(places, opens)]
    begun = np.searchsorted(starts, begins, side="right")[lasts] - np.searchsorted(starts, ends)[firsts]
    numbers = {
        "attribute": attributes,
        "owner": owners,
        "before": owners < attributes,
        "rivals": rivals,
        "alike": _alike(mentions, attributes, firsts, lasts),
        "sentences": np.maximum(begun, 0),
        "lines": stand[:, 1],
        "length": BITS[between + 1],
    }
    cut = [np.minimum(numbers[name], MOST[name]) if name in MOST else numbers[name] for name in COLUMNS]
    marks = ((stand[:, 2:] > 0) & (between > 1)[:, None]).astype(np.float32)
    return Pairs(np.stack(cut, 1, dtype=np.int64, casting="unsafe"), marks)


def _candidates(mentions: Sequence[Mention]) -> tuple[Numbers, Numbers, Numbers]:
    """Attributes, what could own each on either side, and how many could that are nearer."""
    able = [place for place, one in enumerate(mentions) if one.type not in NO_OWNER]
    not_sites = [place for place in able if mentions[place].type != SITE]
    places = [place for place, one in enumerate(mentions) if one.type in DEPENDENT and one.subtype != BIRTH]
    rivals, found = np.arange(RIVALS), []
    for sites, owners in ((True, not_sites), (False, able)):
        own = np.array([one for one in places if (mentions[one].type == SITE) is sites], dtype=np.int64)
        here = np.searchsorted(owners, own)[:, None]
        seats = np.concatenate([here - 1 - rivals, here + rivals], 1)
        sits = (seats >= 0) & (seats < len(owners))
        rows, columns = np.nonzero(sits)
        found.append((own[rows], np.array(owners, dtype=np.int64)[seats[sits]], columns % RIVALS))
    attributes, able_to_own, nearer = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(attributes, kind="stable")
    return attributes[order], able_to_own[order], nearer[order]


def _alike(mentions: Sequence[Mention], attributes: Numbers, firsts: Numbers, lasts: Numbers) -> Numbers:
    """How many mentions of the attribute's type stand between."""
    types = np.array([TYPES[one.type] for one in mentions], dtype=np.int64)
    before = np.zeros((len(TYPES), len(mentions) + 1), dtype=np.int64)
    before[types, np.arange(1, len(mentions) + 1)] = 1
    before = before.cumsum(1)
    kinds = types[attributes]
    found: Numbers = before[kinds, lasts] - before[kinds, firsts + 1]
    return found
