"""Characters that only look like others, and line ends that are only blanks, read as what they are, with every offset kept.

Notes come out of PDF files, fax readers and chat windows with ligatures ("ﬁbrillation"), soft hyphens, full-width digits,
letters of no width and Cyrillic letters in Latin words. A name written so is still a name. And many systems wrap prose at a
fixed width: "chest" at the end of a line and "pain" on the next are one complaint. `fold` gives the text as it is to be read,
and for each of its characters the place in the note.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

NOTHING = "\u00ad\u200b\u200c\u200d\u2060\ufeff"  # soft hyphen, zero width (non-)joiners and spaces
HYPHEN = "\u2010"  # what Unicode makes of the one that does not break: no rule knows it
_WIDE = "\uff01-\uff5e\ufb00-\ufb06\u2010\u2011\u00a0\u2007\u202f"  # full width, ligatures, hyphens, blanks that do not break
LOOK_ALIKES = {
    **dict(zip("АВЕКМНОРСТУХІЈЅԁаеорсухіјѕһԛԝ", "ABEKMHOPCTYXIJSdaeopcyxijshqw", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ", "ABEZHIKMNOPTYXovp", strict=True)),
}
"""Cyrillic and Greek letters that cannot be told from Latin ones by eye (Unicode's confusables)."""
_ALIKE = "".join(LOOK_ALIKES)
WIDE = re.compile(f"[{_WIDE}]")
SUSPECT = re.compile(rf"[{NOTHING}{_WIDE}]|(?<=[A-Za-z])[{_ALIKE}]|[{_ALIKE}](?=[A-Za-z])")
MIXED = re.compile(rf"[A-Za-z{_ALIKE}]+")

NARROWEST, WIDEST = 60, 132
"""Characters of a line, between which the margin of wrapped prose lies."""
FEWEST = 3  # full lines that go on in small letters, in wrapped prose
TRIED = 5  # widths that may be the margin
STOPS = ".?!"
COLUMNS = re.compile(r"\t|\S {3,}\S|\|")
"""What lines of tables have."""
NEW_ITEM = re.compile(r"[-*•·>#+]|\(?\d{1,2}[.)](?!\d)|[A-Za-z][.)]\s|[A-Z][A-Za-z /&,()'-]{0,40}:")
"""How a line begins that does not go on from the one above it."""


class Break(NamedTuple):
    """A line end where prose may go on: where it begins and ends, with the blanks round it, and what stands there.

    `width` is that of the line, `word` that of the first word below it, which is `small` if it is not capitalised.
    """

    begin: int
    end: int
    width: int
    word: int
    small: bool


@dataclass(frozen=True, slots=True)
class Folded:
    """A note as it is to be read; `places[i]` is where the character `text[i]` stands in the note."""

    text: str
    places: tuple[int, ...]

    def begin(self, offset: int) -> int:
        """Where in the note a span begins that begins at `offset` here."""
        return self.places[offset]

    def end(self, offset: int) -> int:
        """Where in the note a span ends that ends at `offset` here."""
        return self.places[offset - 1] + 1


def fold(text: str) -> Folded | None:
    """The note as it is to be read; None where that is how it stands."""
    breaks = wraps(text)
    suspect = not text.isascii() and SUSPECT.search(text)
    if not breaks and not suspect:
        return None
    text, places = _unwrapped(text, breaks)
    if not suspect:
        return Folded(text, tuple(places))
    pairs = list(_characters(text))
    return Folded("".join(char for char, _ in pairs), tuple(places[place] for _, place in pairs))


def wraps(text: str) -> list[tuple[int, int]]:
    """The line ends, with the blanks round them, that only keep the note narrow; none unless it is wrapped prose.

    A line was wrapped where the next word would have gone beyond the margin. That this is no chance is seen from how lines go
    on: most full ones in small letters, and of those that go on so four in five are full. The margin is the end of one of the
    widest lines: a few may go beyond it.
    """
    found, end = [], 0
    for line, following in pairwise(text.split("\n")):
        end += len(line) + 1
        if _goes_on(line, following):
            width, word = len(line.rstrip()), following.split(maxsplit=1)[0]
            found.append(
                Break(end - 1 - len(line) + width, end + following.index(word), width, len(word), word[0].islower())
            )
    small = sum(one.small for one in found)
    widths = sorted({one.width for one in found if NARROWEST <= one.width <= WIDEST}, reverse=True)
    for margin in widths[:TRIED]:
        full = [one for one in found if one.width <= margin < one.width + 1 + one.word]
        both = sum(one.small for one in full)
        if both >= FEWEST and 2 * both >= len(full) and 5 * both >= 4 * small:
            return [(one.begin, one.end) for one in full]
    return []


def _goes_on(line: str, following: str) -> bool:
    """Whether prose may go on from a line to the one below it."""
    line, following = line.strip(), following.strip()
    if not line or not following or line[-1] == ":" or (line[-1] in STOPS and not following[0].islower()):
        return False
    if NEW_ITEM.match(following) or (following.isupper() and not line.isupper()):
        return False
    return not COLUMNS.search(line) and not COLUMNS.search(following)


def _unwrapped(text: str, breaks: Sequence[tuple[int, int]]) -> tuple[str, Sequence[int]]:
    """The text with a blank for each of `breaks`, and where its characters stand."""
    if not breaks:
        return text, range(len(text))
    pieces: list[str] = []
    places: list[int] = []
    at = 0
    for begin, end in (*breaks, (len(text), len(text))):
        pieces.append(text[at:begin])
        places += range(at, min(begin + 1, len(text)))  # the blank stands where the line ends
        at = end
    return " ".join(pieces), places


def _characters(text: str) -> Iterator[tuple[str, int]]:
    latin = {
        place
        for word in MIXED.finditer(text)
        if re.search("[A-Za-z]", word[0])
        for place in range(word.start(), word.end())
    }
    for place, char in enumerate(text):
        if char in NOTHING:
            continue
        if place in latin:
            yield LOOK_ALIKES.get(char, char), place
        elif WIDE.match(char):
            yield from ((one, place) for one in unicodedata.normalize("NFKC", char).replace(HYPHEN, "-"))
        else:
            yield char, place
