"""The trained networks, run by onnxruntime: a Doc that the finders have seen in, probabilities of tags out.

A network is a folder with `meta.json`, which names its kind and its clues, and `encoder.onnx`. Beside them stand

- of a network over `words`: `words.txt` and `rows.npz`, the table of word rows (eight bits a value, a scale a row);
- of a network over `pieces`: `vocabulary.txt` and `pieces.npz`, the table of BERT's word pieces, kept likewise.

How they were trained and how good they are stands in each model's card, `models/*/README.md`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from medtext.components.clues import Flags
from medtext.decoding import TAGS
from medtext.errors import ModelError
from medtext.features import WordRows, shape
from medtext.findings import words
from medtext.wordpieces import WordPieces

CACHED = 50_000  # words whose vectors are kept; about 40 MB
FORMAT = 6
WINDOW = 126  # pieces that a network over pieces reads at once, its two marks left out

Read = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Log probabilities of tags, words by TAGS; and the words as the network read them (one over words: as they are, and as read)."""


class Network(Protocol):
    def __call__(self, doc: Doc) -> Read: ...


class WordNetwork:
    """The gated convolutions of `medtext.training.network`, over the whole note at once."""

    def __init__(self, folder: Path, meta: Mapping[str, Any]) -> None:
        vocabulary = (folder / "words.txt").read_text(encoding="utf-8").split("\n")
        table = Table(folder / "rows.npz")
        rows = WordRows(vocabulary, meta["buckets"])
        self._vectors = WordVectors(rows, table)
        self._flags = Flags(meta["clues"], meta["sections"])
        self._session = open_session(folder / "encoder.onnx")

    def __call__(self, doc: Doc) -> Read:
        vectors = self._vectors(words(doc))
        tags, read = self._session.run(None, {"vectors": vectors, "flags": self._flags(doc)})
        return tags, np.concatenate([vectors, read], axis=1)


class PieceNetwork:
    """A BERT encoder, over whole sentences, as many as fit its window."""

    def __init__(self, folder: Path, meta: Mapping[str, Any]) -> None:
        self._pieces = WordPieces((folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n"))
        self._table = Table(folder / "pieces.npz")
        self._flags = Flags(meta["clues"], meta["sections"])
        self._session = open_session(folder / "encoder.onnx")

    def __call__(self, doc: Doc) -> Read:
        pieces = [self._pieces(word) for word in words(doc)]
        shapes = np.array([shape(word) for word in words(doc)], dtype=np.int64)
        flags = self._flags(doc)
        starts = [word.i for word in doc if word.is_sent_start]
        parts = [
            self._read(pieces[begin:end], shapes[begin:end], flags[begin:end])
            for begin, end in windows([len(of_word) for of_word in pieces], starts, WINDOW)
        ]
        tags, read = zip(*parts, strict=True)
        return np.concatenate(tags), np.concatenate(read)

    def _read(self, pieces: Sequence[list[int]], shapes: NDArray[np.int64], flags: NDArray[np.float32]) -> Read:
        rows, pool = self._pieces.pooled(pieces)
        given = {"vectors": self._table(rows), "pool": pool, "shapes": shapes, "flags": flags}
        tags, read = self._session.run(None, given)
        return tags, read


def windows(lengths: Sequence[int], starts: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """Cuts a note into windows, `(first word, word after the last)`, of at most `most` pieces.

    `lengths` are the pieces of each word, `starts` the words that begin a sentence. A window ends with a sentence,
    unless that sentence alone is too long.
    """
    stops = [*(start for start in starts if start), len(lengths)]
    begin = end = size = 0
    for stop in stops:
        more = sum(lengths[end:stop])
        if size + more > most and size:
            yield begin, end
            begin, size = end, 0
        while more > most:  # a sentence longer than a window
            while end < stop and size + lengths[end] <= most:
                size += lengths[end]
                end += 1
            yield begin, end
            begin, size, more = end, 0, more - size
        end, size = stop, size + more
    if begin < end:
        yield begin, end


class Table:
    """Rows of vectors, kept in eight bits a value with a scale a row."""

    def __init__(self, path: Path) -> None:
        stored = np.load(path)
        self._rows: NDArray[np.int8] = stored["table"]
        self._scales: NDArray[np.float32] = stored["scales"]
        self.width = self._rows.shape[1]

    def __call__(self, rows: Sequence[int]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = self._rows[rows] * self._scales[rows, None]
        return found


class WordVectors:
    """The vector of a word: the sum of its rows of the table, kept until there are `CACHED`. Not for several threads at once."""

    def __init__(self, rows: WordRows, table: Table) -> None:
        self._rows, self._table = rows, table
        self._places: dict[str, int] = {}
        self._kept = np.empty((CACHED, table.width), dtype=np.float32)

    def __call__(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Words by width."""
        new = set(words).difference(self._places)
        if len(self._places) + len(new) > CACHED:
            self._places.clear()
            new = set(words)
        if len(new) > CACHED:
            vectors = {word: self._vector(word) for word in new}
            return np.array([vectors[word] for word in words])
        for word in new:
            place = len(self._places)
            self._kept[place] = self._vector(word)
            self._places[word] = place  # after its vector, which a note's timeout can interrupt
        found: NDArray[np.float32] = self._kept[[self._places[word] for word in words]]
        return found

    def _vector(self, word: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._table(self._rows(word)).sum(0, dtype=np.float32)
        return vector


KINDS: dict[str, Callable[[Path, Mapping[str, Any]], Network]] = {"words": WordNetwork, "pieces": PieceNetwork}


def read_meta(folder: Path) -> dict[str, Any]:
    """What a model's folder says of itself. Raises `ModelError`: there is no model, or one of another format."""
    try:
        meta: dict[str, Any] = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ModelError(
            f"There is no medtext model in {folder}; name fast, accurate, or a folder that medtext train made."
        ) from None
    if meta.get("format") != FORMAT or meta.get("tags") != list(TAGS):
        raise ModelError(f"The model in {folder} was made for another version of medtext; train it again.")
    return meta


def open_session(path: Path) -> Any:
    """onnxruntime on one thread: medtext's workers are processes, and threads of theirs would only be in each other's way.

    Raises `ModelError` where there is no network, or one that cannot be read.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception:  # onnxruntime's own errors have no class in common
        raise ModelError(
            f"The model has no network {path.name} in {path.parent} that can be read; train it again."
        ) from None
