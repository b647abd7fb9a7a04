"""Lists of what is taken as needed: "PRN meds:", and the drugs on its line or on the lines under it."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from medtext.findings import Findings
from medtext.sig.place import DRUGS
from medtext.sig.words import SigWords

LONGEST_TITLE = 60  # characters, with what stands between it and the first drug
LONGEST = 4_000  # characters of a list
ALONE = re.compile(r"(?:^|\n)[ \t•*#-]*$")
"""What stands before a title that has no colon."""
SAME_LINE = re.compile(r"\n|\.[ \t]+[A-Z]|[ \t][A-Z][A-Za-z ]{2,30}:(?!\d)")
"""Where a list ends that stands on the line of its title: there, at the end of the sentence, or at another title."""
BLANK_LINE = re.compile(r"\n[ \t\r]{0,20}\n")
TITLE = re.compile(r"\n[ \t•*#-]{0,20}(?=[^\W\d_][\w /&()-]{0,40}:)")
"""Another title, where no drug has that name."""


@dataclass(frozen=True, slots=True)
class NeededList:
    """Where the title of a list begins, and the list itself, `[begin, end)`."""

    title: int
    begin: int
    end: int


def needed_lists(words: SigWords, text: str, found: Findings) -> Iterator[NeededList]:
    """The lists of a note whose title says that what is in them is taken as needed."""
    drugs = dict.fromkeys(mention.begin for mention in found.mentions if mention.type in DRUGS)
    for begin in drugs:
        origin = max(0, begin - LONGEST_TITLE)
        before = text[origin:begin]
        title = words.title.search(before) if ":" in before or "\n" in before else None
        if title and (title["colon"] or ALONE.search(text, origin, origin + title.start())):
            yield NeededList(origin + title.start(), begin, _end(text, found, drugs, begin, "\n" in title["gap"]))


def _end(text: str, found: Findings, drugs: Container[int], begin: int, below: bool) -> int:
    """Where a list ends that begins at `begin`, on the line `below` its title or on the same."""
    most = min(begin + LONGEST, len(text))
    stops = [BLANK_LINE.search(text, begin, most) if below else SAME_LINE.search(text, begin, most)]
    if below:
        stops.append(next((title for title in TITLE.finditer(text, begin, most) if title.end() not in drugs), None))
    headings = (section.heading[0] for section in found.sections if section.heading)
    return min([most, *(stop.start() for stop in stops if stop), *(one for one in headings if one > begin)])


def without_titles(text: str, lists: Sequence[NeededList]) -> str:
    """The text, at the same offsets, where the titles of lists end a line: "daily PRN: Tylenol" is no "daily PRN"."""
    parts: list[str] = []
    end = 0
    for one in lists:
        parts += text[end : one.title], "\n" * (one.begin - one.title)
        end = one.begin
    return "".join(parts) + text[end:]
