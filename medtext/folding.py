"""Characters that only look like others, read as what they look like, with every offset kept.

Notes come out of PDF files, fax readers and chat windows with ligatures ("ﬁbrillation"), soft hyphens, full-width digits,
letters of no width and Cyrillic letters in Latin words. A name written so is still a name. `fold` gives the text as it
is to be read, and for each of its characters the place in the note.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

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
    if text.isascii() or not SUSPECT.search(text):
        return None
    pairs = list(_characters(text))
    return Folded("".join(char for char, _ in pairs), tuple(place for _, place in pairs))


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
