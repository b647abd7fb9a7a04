"""The trained model: a small convolutional tagger, run by onnxruntime over a whole note at once.

A model is a folder: `meta.json` (name, version, labels, calibration), `words.txt` and `rows.npz` (the embedding table,
eight bits a value with a scale a row) and `encoder.onnx`. How it was trained and how good it is stands in its card,
`models/fast/README.md`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.lexicon import KINDS, Match, lexicon_matches
from medtext.decoding import TAGS, decode, spans
from medtext.errors import ModelError
from medtext.features import WordRows
from medtext.findings import findings
from medtext.schema import TRAITS, Mention

PLACES = 4  # first, inside, last and only token of a match
FLAGS = PLACES * len(KINDS)
CACHED = 50_000  # words whose vectors are kept; about 40 MB
FORMAT = 1

_flag_of = {kind: PLACES * place for place, kind in enumerate(KINDS)}


def lexicon_flags(matches: Iterable[Match], length: int) -> NDArray[np.float32]:
    """Words by FLAGS: 1 where a word is the first, an inner, the last or the only one of a term of some kind."""
    flags = np.zeros((length, FLAGS), dtype=np.float32)
    for begin, end, kind in matches:
        column = _flag_of[kind]
        if end == begin + 1:
            flags[begin, column + 3] = 1
        else:
            flags[begin, column] = 1
            flags[begin + 1 : end - 1, column + 1] = 1
            flags[end - 1, column + 2] = 1
    return flags


class WordVectors:
    """The vector of a word: the sum of its rows of the table, kept for the words seen most lately."""

    def __init__(self, rows: WordRows, table: NDArray[np.int8], scales: NDArray[np.float32]) -> None:
        self._rows, self._table, self._scales = rows, table, scales
        self._kept: dict[str, NDArray[np.float32]] = {}

    def __call__(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Words by width."""
        if len(self._kept) > CACHED:
            self._kept.clear()
        vectors = np.empty((len(words), self._table.shape[1]), dtype=np.float32)
        kept = self._kept
        for place, word in enumerate(words):
            vector = kept.get(word)
            if vector is None:
                vector = kept[word] = self._sum(word)
            vectors[place] = vector
        return vectors

    def _sum(self, word: str) -> NDArray[np.float32]:
        rows = self._rows(word)
        total: NDArray[np.float32] = (self._table[rows] * self._scales[rows, None]).sum(0, dtype=np.float32)
        return total


class Tagger:
    """A loaded model: words and lexicon matches in, log probabilities of tags and probabilities of traits out."""

    def __init__(self, folder: Path) -> None:
        """Loads `folder`. Raises `ModelError` where there is no model, or one of another format or label set."""
        self.meta = read_meta(folder)
        words = (folder / "words.txt").read_text(encoding="utf-8").split("\n")
        stored = np.load(folder / "rows.npz")
        rows = WordRows(words, self.meta["buckets"])
        self.vectors = WordVectors(rows, stored["table"], stored["scales"])
        self._session = open_session(folder / "encoder.onnx")
        self._calibration = np.array(self.meta["calibration"], dtype=np.float64)

    @property
    def version(self) -> str:
        return f"{self.meta['name']}-{self.meta['version']}"

    def __call__(
        self, words: Sequence[str], matches: Iterable[Match]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Log probabilities, words by TAGS, and probabilities, words by TRAITS."""
        inputs = {"vectors": self.vectors(words), "flags": lexicon_flags(matches, len(words))}
        tags, traits = self._session.run(None, inputs)
        return tags, traits

    def calibrated(self, probability: float) -> float:
        """The share of spans with this probability that were right on notes held out from training."""
        seen, right = self._calibration
        return float(np.interp(probability, seen, right))


def read_meta(folder: Path) -> dict[str, Any]:
    try:
        meta: dict[str, Any] = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ModelError(f"There is no medtext model in {folder}; name a folder that `models.train` made.") from None
    if meta.get("format") != FORMAT or meta.get("tags") != list(TAGS) or meta.get("lexicon_kinds") != list(KINDS):
        raise ModelError(f"The model in {folder} was made for another version of medtext; train it again.")
    return meta


def open_session(path: Path) -> Any:
    """onnxruntime on one thread: medtext's workers are processes, and threads of theirs would only be in each other's way."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def find_model(name: str) -> Path:
    """The folder of a shipped model ("fast"), or the path that `name` is."""
    here = Path(__file__).parents[1]
    for models in (here / "models", here.parent / "models"):
        if name and (models / name / "meta.json").is_file():
            return models / name
    return Path(name)


class EntityRecognizer:
    """The spaCy component: the model's spans into `candidates`, its opinion on traits into `token_traits`."""

    def __init__(self, tagger: Tagger) -> None:
        self.tagger = tagger

    def __call__(self, doc: Doc) -> Doc:
        if len(doc):
            found = findings(doc)
            tags, found.token_traits = self.tagger([token.text for token in doc], lexicon_matches(doc))
            found.candidates.extend(self.mentions(doc, tags))
        return doc

    def mentions(self, doc: Doc, scores: NDArray[np.float32]) -> Iterable[Mention]:
        """The spans of the best tags; a span is as likely as its least likely word."""
        best = decode(scores)
        chosen = np.exp(scores[np.arange(len(best)), best])
        for begin, end, kind in spans(best):
            score = self.tagger.calibrated(float(chosen[begin:end].min()))
            yield Mention(doc[begin].idx, doc[end - 1].idx + len(doc[end - 1]), kind, score, "ner")


@Language.factory("medtext_ner", default_config={"model": "fast", "rules": ""})
def create_ner(nlp: Language, name: str, model: str, rules: str) -> EntityRecognizer:  # noqa: ARG001
    return EntityRecognizer(Tagger(find_model(model)))
