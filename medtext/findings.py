"""What the components have found so far in one note: the state that travels on the spaCy `Doc`.

Finders add `Mention`s to `candidates`; `resolve` turns candidates into `mentions`, sorted and without overlaps;
`attributes` and `traits` then say what hangs on what, by index into `mentions`. Nothing here outlives the Doc.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from spacy.tokens import Doc

from medtext.schema import Concepts, Mention, Sig, Trait, Value

KEY = "medtext"


@dataclass(slots=True)
class SectionSpan:
    """A section's body, `[begin, end)` in code points of the note; `heading` are the offsets of its title."""

    begin: int
    end: int
    category: str
    heading: tuple[int, int] | None = None


@dataclass(slots=True)
class Link:
    """`parent`, the index of the mention an attribute hangs on, and how sure that is."""

    parent: int
    score: float
    source: str


@dataclass(slots=True)
class Carried:
    """What the windows before this one say to it, where a note is read in windows (`medtext.windows`)."""

    section: str | None = None  # the section that is open
    names: dict[str, str] = field(default_factory=dict)  # words of names that rules found, and whose
    sure_names: dict[str, str] = field(default_factory=dict)  # and of those that the model found


@dataclass(slots=True)
class Findings:
    carried: Carried | None = None
    given: tuple[Mention, ...] | None = None  # spans the caller brought; they replace what the finders find
    text: str = ""  # see `text_of`
    words: list[str] = field(default_factory=list)  # see `words`
    lower_words: list[str] = field(default_factory=list)  # see `words`
    offsets: list[int] = field(default_factory=list)  # see `offsets`
    places: dict[str, list[int]] = field(default_factory=dict)  # see `places`
    sections: list[SectionSpan] = field(default_factory=list)
    long_forms: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)  # abbreviation -> long form
    lexicon: list[tuple[int, int, str]] = field(default_factory=list)  # (first token, token after the last, kind)
    candidates: list[Mention] = field(default_factory=list)
    tags: Any = None  # the model's log probabilities, tokens by TAGS (numpy array), where there is a model
    read: Any = None  # the tokens as the model read them, tokens by width (numpy array), where there is a model
    mentions: list[Mention] = field(default_factory=list)
    links: dict[int, Link] = field(default_factory=dict)
    traits: dict[int, tuple[Trait, ...]] = field(default_factory=dict)
    values: dict[int, Value] = field(default_factory=dict)
    sigs: dict[int, Sig] = field(default_factory=dict)
    concepts: dict[int, Concepts] = field(default_factory=dict)

    def moved(self, begin: Callable[[int], int], end: Callable[[int], int]) -> Findings:
        """The findings of a text whose offsets are others: `begin` and `end` say where a span begins and ends there."""
        mentions = [replace(one, begin=begin(one.begin), end=end(one.end)) for one in self.mentions]
        sections = [
            SectionSpan(begin(one.begin), end(one.end), one.category) for one in self.sections if one.begin < one.end
        ]
        sigs = {
            place: replace(sig, as_needed_for=(begin(sig.as_needed_for[0]), end(sig.as_needed_for[1])))
            if sig.as_needed_for
            else sig
            for place, sig in self.sigs.items()
        }
        return replace(self, mentions=mentions, sections=sections, sigs=sigs)

    def section_of(self, begin: int) -> str | None:
        """The category of the section that holds the character at `begin`."""
        place = bisect_right(self.sections, begin, key=lambda section: section.begin) - 1
        inside = place >= 0 and begin < self.sections[place].end
        return self.sections[place].category if inside else None


def findings(doc: Doc) -> Findings:
    """The findings of this Doc, made on first use."""
    if KEY not in doc.user_data:
        doc.user_data[KEY] = Findings()
    return doc.user_data[KEY]  # type: ignore[no-any-return]


# What every step wants to know of a Doc, and spaCy puts together anew each time: it is asked once.


def text_of(doc: Doc) -> str:
    """The note."""
    found = findings(doc)
    if not found.text:
        found.text = doc.text
    return found.text


def offsets(doc: Doc) -> list[int]:
    """Where the Doc's tokens begin in the note, in code points."""
    found = findings(doc)
    if not found.offsets:
        found.offsets = [token.idx for token in doc]
    return found.offsets


def places(doc: Doc) -> dict[str, list[int]]:
    """Where words of each beginning (see `first_word`) begin in the note, in code points."""
    found = findings(doc)
    if not found.places:
        for begin, word in zip(offsets(doc), words(doc), strict=True):
            found.places.setdefault(first_word(word), []).append(begin)
    return found.places


@lru_cache(maxsize=50_000)
def first_word(word: str) -> str:
    """What rules that start with a word call a token: "0" for a number, else its letters up to a full stop, in lower case."""
    if word[0].isdigit():
        return "0"
    return (word.partition(".")[0] if "." in word else word).lower()


def words(doc: Doc) -> list[str]:
    """The texts of the Doc's tokens."""
    found = findings(doc)
    if not found.words:
        found.words = [token.text for token in doc]
    return found.words


def lower_words(doc: Doc) -> list[str]:
    """`words` in lower case."""
    found = findings(doc)
    if not found.lower_words:
        found.lower_words = [word.lower() for word in words(doc)]
    return found.lower_words
