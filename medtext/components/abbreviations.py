"""Abbreviations that a note defines itself: "atrial fibrillation (AF)", by scispaCy's detector.

The rule is Schwartz & Hearst's (2003), as scispaCy implements it. Most notes have no such bracket and are passed by.
"""

import re
import warnings
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span

from medtext.findings import findings, text_of

BRACKETED = re.compile(r"\w \([^\s()]*[A-Z][^\s()]*\)")
"""Where a definition may be; anything else is not worth scispaCy's matcher."""

MOST_WORDS = 8  # in a definition's brackets, for scispaCy


class AbbreviationFinder:
    """The spaCy component: `findings(doc).long_forms`, from each short form's offsets to its long form's."""

    def __init__(self, nlp: Language) -> None:
        self._nlp = nlp
        self._detector: Any = None

    def __call__(self, doc: Doc) -> Doc:
        if BRACKETED.search(text_of(doc)):
            found = findings(doc)
            for short in self._detect(doc):
                long = short._.long_form
                found.long_forms[short.start_char, short.end_char] = long.start_char, long.end_char
        return doc

    def _detect(self, doc: Doc) -> list[Span]:
        """scispaCy's abbreviations, by their place in the note, without those that overlap."""
        if self._detector is None:
            from scispacy.abbreviation import AbbreviationDetector

            self._detector = AbbreviationDetector(self._nlp)
            self._detector.matcher = lambda doc: list(bracketed(doc))  # its own pairs every "(" with every ")"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # W036: scispaCy's matcher is empty when nothing is defined
            self._detector(doc)
        short_forms = sorted(doc._.abbreviations, key=lambda span: (span.start, -span.end))
        return short_forms[:1] + [after for before, after in pairwise(short_forms) if after.start >= before.end]


def bracketed(doc: Doc) -> Iterator[tuple[int, int, int]]:
    """What is in brackets and short enough for scispaCy, brackets and all, in the shape and order of spaCy's matcher."""
    opened: deque[int] = deque(maxlen=MOST_WORDS + 1)
    for place, token in enumerate(doc):
        while opened and place - opened[0] > MOST_WORDS + 1:
            opened.popleft()
        if token.text == ")":
            yield from ((0, begin, place + 1) for begin in reversed(opened) if begin < place - 1)
        elif token.text == "(":
            opened.append(place)


@Language.factory("medtext_abbreviations", default_config={"rules": ""})
def create_abbreviations(nlp: Language, name: str, rules: str | Path) -> AbbreviationFinder:  # noqa: ARG001
    return AbbreviationFinder(nlp)
