"""Lists of drugs: a dose in another item than a drug is not that drug's, though nobody knows the drug of its own item.

Of "1. Lisinopril 20 mg daily", and under it "2. MOM 30 mL p.r.n.", the volume is not lisinopril's. The words that show that an
item goes on with the drug of the one before it are in `rules/goes_on.txt`.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from operator import attrgetter

import numpy as np

from medtext.link_pairs import NO_OWNER, Pairs
from medtext.rulebook import any_of
from medtext.schema import ATTRIBUTES, CATEGORIES, Mention

DRUGS = CATEGORIES["MEDICATION"]
DOSES = ("DOSAGE", "STRENGTH", "FREQUENCY")
PLAIN = "plain"
ITEM = re.compile(
    rf"(?P<indent>[ \t]{{0,40}})(?:(?P<number>\d{{1,2}}[.)])|(?P<bullet>[-*•·])|(?P<cell>\|)|(?P<{PLAIN}>(?=[A-Z])))[ \t]*"
)
"""How an item of a list or a row of a table begins; plainly, where it begins a line with a capital."""
NAMED = re.compile(r"[A-Z][\w'/.-]*(?:[ ][\w'/.-]+){0,2}[ \t:,-]*")
"""What stands before the dose on a plain line that begins with a name."""


class Lists:
    """Says which doses are in another item than a drug.

    Args:
        goes_on: the words with which an item goes on about the drug of the one before it.
    """

    def __init__(self, goes_on: Iterable[str]) -> None:
        self._goes_on = re.compile(rf"[\W\d]*(?:$|(?:{any_of(goes_on)})\b|[^\n:|]{{1,30}}:)", re.IGNORECASE)

    def __call__(self, text: str, mentions: Sequence[Mention], pairs: Pairs) -> list[int]:
        """The pairs of a dose and a drug that are in two items of a list, by their rows."""
        items: dict[int, re.Match[str] | None] = {}
        rows = []
        for row in np.flatnonzero(pairs.column("lines") > 0).tolist():
            place, owner = int(pairs.attributes[row]), int(pairs.owners[row])
            if mentions[owner].type in DRUGS and ATTRIBUTES.get(mentions[place].type) == "MEDICATION":
                begin = text.rfind("\n", 0, mentions[min(place, owner)].begin) + 1
                if begin not in items:
                    items[begin] = ITEM.match(text, begin)
                item = items[begin]
                if item and self._apart(text, mentions, item, place, owner):
                    rows.append(row)
        return rows

    def _apart(self, text: str, mentions: Sequence[Mention], item: re.Match[str], place: int, owner: int) -> bool:
        """Whether an item like `item` begins between a drug and a dose, and is not about that drug."""
        plain = item.lastgroup == PLAIN
        if plain and not (owner < place and _dosed(text, mentions, owner)):
            return False
        begin, end = mentions[min(place, owner)].end, mentions[max(place, owner)].begin
        while (begin := text.find("\n", begin, end) + 1) > 0:
            other = ITEM.match(text, begin)
            if other and other.lastgroup == item.lastgroup and len(other["indent"]) <= len(item["indent"]):
                first = mentions[bisect_left(mentions, begin, key=attrgetter("begin"))]
                head = text[other.end() : first.begin]
                if self._goes_on.match(head) if owner < place and first.type in NO_OWNER else plain:
                    continue
                if not plain or (first.type in DOSES and NAMED.fullmatch(head)):
                    return True
        return False


def _dosed(text: str, mentions: Sequence[Mention], owner: int) -> bool:
    """Whether a drug begins its line, and its dose stands on it."""
    head = text[text.rfind("\n", 0, mentions[owner].begin) + 1 : mentions[owner].begin]
    after = mentions[owner + 1 : owner + 2]
    return not head.strip() and any(
        one.type in DOSES and "\n" not in text[mentions[owner].end : one.begin] for one in after
    )
