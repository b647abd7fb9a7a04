"""What the model sees of a word: rows of one embedding table, named by the word's shape, spelling and pieces.

The rows depend on the word alone, so their sum is cached, and a word's vector never depends on the notes read before.
Spelling is hashed the way fastText does it (Bojanowski et al. 2017): a word that was never seen, or a misspelt one,
shares most of its rows with its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

SHAPES = 32
LONGEST = 30  # letters of a word that count; keeps an endless word cheap


def shape(word: str) -> int:
    """The number of the word's shape, below `SHAPES`: blanks, breaks, digits by length, case by length, marks."""
    if word.isspace():
        return min(word.count("\n"), 2)
    if word.isdigit():
        return 2 + min(len(word), 6)
    if any(map(str.isdigit, word)):
        return 9 + ("," in word)
    if not word[0].isalpha():
        return 11
    length = min(len(word), 4) - 1
    if word.isupper():
        return 12 + length
    if word.islower():
        return 16 + length
    if word[0].isupper() and word[1:].islower():
        return 20 + length
    return 24 + length


class WordRows:
    """Maps a word to its rows. `vocabulary` are the words with a row of their own; `buckets` the hashed rows."""

    def __init__(self, vocabulary: Iterable[str], buckets: int) -> None:
        self._known = {word: SHAPES + place for place, word in enumerate(vocabulary)}
        self.first_hashed = SHAPES + len(self._known)
        self._buckets = buckets

    def __len__(self) -> int:
        return self.first_hashed + self._buckets

    def __call__(self, word: str) -> list[int]:
        """The rows of `word`, in an order that depends on nothing else."""
        rows = [shape(word)]
        if word.isspace():
            return rows
        spelling = normal(word)
        if spelling in self._known:
            rows.append(self._known[spelling])
        rows.extend(sorted({self.first_hashed + crc32(piece) % self._buckets for piece in pieces(spelling)}))
        return rows


def normal(word: str) -> str:
    """The word in lower case with its digits made alike, cut to `LONGEST`."""
    word = word.lower()[:LONGEST]
    if word[0].isdigit() or word[0] == ".":
        return "".join("0" if letter.isdigit() else letter for letter in word)
    return word


def pieces(spelling: str) -> set[bytes]:
    """Runs of three to five letters, with marks for the word's ends, its first and last two letters, and the whole."""
    marked = f"<{spelling}>"
    runs = {marked[at : at + size] for size in (3, 4, 5) for at in range(len(marked) - size + 1)}
    runs |= {f"prefix {spelling[:2]}", f"suffix {spelling[-2:]}", f"word {spelling}"}
    return {run.encode("utf-8", "surrogatepass") for run in runs}
