"""What the steps before the model say of each word: the clues that it reads beside the words."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from medtext.findings import findings, offsets

PLACES = 4  # a span's first, inner, last and only word have flags of their own


class Flags:
    """What the steps before the model say of each word: its clues, as columns of ones and zeros.

    A column is named for its clue: "lexicon:DX_NAME" for a match of the lexicon, "pattern:DOSAGE" or "phi:NAME" for a
    candidate of that finder, four columns each, and "section:PLAN" for words of a section, one. The model brings the
    list that it was trained with; a clue that it does not know is left out.
    """

    def __init__(self, spans: Sequence[str], sections: Sequence[str]) -> None:
        self._spans = {name: PLACES * place for place, name in enumerate(spans)}
        first = PLACES * len(spans)
        self._sections = {name: first + place for place, name in enumerate(sections)}
        self.width = first + len(sections)

    def __call__(self, doc: Doc) -> NDArray[np.float32]:
        """Words by columns."""
        flags = np.zeros((len(doc), self.width), dtype=np.float32)
        for name, begin, end in clues(doc):
            column = self._spans.get(name)
            if column is None:
                continue
            if end == begin + 1:
                flags[begin, column + 3] = 1
            else:
                flags[begin, column] = 1
                flags[begin + 1 : end - 1, column + 1] = 1
                flags[end - 1, column + 2] = 1
        for name, begin, end in section_words(doc):
            if name in self._sections:
                flags[begin:end, self._sections[name]] = 1
        return flags


def clues(doc: Doc) -> Iterator[tuple[str, int, int]]:
    """`(name, first word, word after the last)` of every lexicon match and every candidate of another finder."""
    found = findings(doc)
    for begin, end, kind in found.lexicon:
        yield f"lexicon:{kind}", begin, end
    others = [mention for mention in found.candidates if not mention.source.startswith("lexicon:")]
    begins, ends = words_of(doc, [(mention.begin, mention.end) for mention in others])
    for mention, begin, end in zip(others, begins, ends, strict=True):
        yield f"{mention.source.partition(':')[0]}:{mention.type}", begin, end


def section_words(doc: Doc) -> Iterator[tuple[str, int, int]]:
    """`(category, first word, word after the last)` of every section."""
    sections = [section for section in findings(doc).sections if section.begin < section.end]
    begins, ends = words_of(doc, [(section.begin, section.end) for section in sections])
    for section, begin, end in zip(sections, begins, ends, strict=True):
        yield section.category, begin, end


def words_of(doc: Doc, spans: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """The words that hold these spans of characters: first words, and the words after the last."""
    starts = offsets(doc)
    return [bisect_right(starts, begin) - 1 for begin, _ in spans], [bisect_left(starts, end) for _, end in spans]
