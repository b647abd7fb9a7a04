"""BERT's pieces of words (Devlin et al. 2019, after Wu et al. 2016): the longest known piece first, then the next.

As in BERT's uncased models: lower case, no accents, every mark on its own. Written here because the `tokenizers` library
brings a network client along, and because medtext's words are cut already.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

UNKNOWN, FIRST, LAST = "[UNK]", "[CLS]", "[SEP]"
BLANKS = ("[unused3]", "[unused1]", "[unused2]")  # a wide blank, a line break, an empty line
INSIDE = "##"  # begins a piece that does not begin a word
LONGEST = 40  # letters of a word that count
MOST = 8  # pieces of a word that count
CACHED = 50_000  # words whose pieces are kept


class WordPieces:
    """Maps a word to the numbers of its pieces in `vocabulary`, at least one and at most `MOST`."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._numbers = {piece: number for number, piece in enumerate(vocabulary)}
        self.first, self.last = self._numbers[FIRST], self._numbers[LAST]
        self._kept: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def __call__(self, word: str) -> list[int]:
        found = self._kept.get(word)
        if found is None:
            if len(self._kept) > CACHED:
                self._kept.clear()
            found = self._kept[word] = self._pieces(word)
        return found

    def framed(self, pieces: Sequence[int]) -> list[int]:
        """The pieces between BERT's marks for the beginning and the end."""
        return [self.first, *pieces, self.last]

    def pooled(self, pieces: Sequence[Sequence[int]]) -> tuple[list[int], NDArray[np.float32]]:
        """The pieces of words in one framed row, and the share of each of them in its word, words by pieces."""
        row = self.framed([piece for of_word in pieces for piece in of_word])
        pool = np.zeros((len(pieces), len(row)), dtype=np.float32)
        at = 1
        for number, of_word in enumerate(pieces):
            pool[number, at : at + len(of_word)] = 1 / len(of_word)
            at += len(of_word)
        return row, pool

    def _pieces(self, word: str) -> list[int]:
        if word.isspace():
            return [self._numbers[BLANKS[min(word.count("\n"), 2)]]]
        found = [piece for part in parts(word[:LONGEST]) for piece in self._greedy(part)]
        return found[:MOST] or [self._numbers[UNKNOWN]]

    def _greedy(self, part: str) -> list[int]:
        found: list[int] = []
        begin = 0
        while begin < len(part):
            lead = INSIDE if begin else ""
            ends = range(len(part), begin, -1)
            end = next((end for end in ends if lead + part[begin:end] in self._numbers), None)
            if end is None:
                return [self._numbers[UNKNOWN]]
            found.append(self._numbers[lead + part[begin:end]])
            begin = end
        return found


def parts(word: str) -> Iterator[str]:
    """The word in lower case and without accents, cut so that each mark stands alone."""
    part = ""
    for letter in unicodedata.normalize("NFD", word.lower()):
        kind = unicodedata.category(letter)
        if kind == "Mn" or kind[0] == "C":  # accents, and what prints nothing
            continue
        if not _alone(letter, kind):
            part += letter
            continue
        if part:
            yield part
        part = ""
        if not letter.isspace():
            yield letter
    if part:
        yield part


def _alone(letter: str, kind: str) -> bool:
    """Whether BERT cuts before and after this character: marks, blanks, Chinese characters."""
    mark = letter.isascii() and not letter.isalnum()
    return mark or kind[0] in "PZ" or "\u3400" <= letter <= "\u9fff" or "\uf900" <= letter <= "\ufaff"
