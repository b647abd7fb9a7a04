"""The trained model: a small convolutional tagger, run by onnxruntime over a whole note at once.

A model is a folder: `meta.json` (name, version, labels, calibration), `words.txt` and `rows.npz` (the embedding table,
eight bits a value with a scale a row) and `encoder.onnx`. How it was trained and how good it is stands in its card,
`models/fast/README.md`.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from medtext.decoding import TAGS, decode, spans
from medtext.errors import ModelError
from medtext.features import WordRows
from medtext.findings import findings, offsets, words
from medtext.schema import TRAITS, Mention

CACHED = 50_000  # words whose vectors are kept; about 40 MB
FORMAT = 1
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
    """A loaded model: a Doc that the finders have seen in, log probabilities of tags and probabilities of traits out."""

    def __init__(self, folder: Path) -> None:
        """Loads `folder`. Raises `ModelError` where there is no model, or one of another format or label set."""
        self.meta = read_meta(folder)
        vocabulary = (folder / "words.txt").read_text(encoding="utf-8").split("\n")
        stored = np.load(folder / "rows.npz")
        rows = WordRows(vocabulary, self.meta["buckets"])
        self.vectors = WordVectors(rows, stored["table"], stored["scales"])
        self.flags = Flags(self.meta["clues"], self.meta["sections"])
        self._session = open_session(folder / "encoder.onnx")
        self._calibration = np.array(self.meta["calibration"], dtype=np.float64)

    @property
    def version(self) -> str:
        return f"{self.meta['name']}-{self.meta['version']}"

    def __call__(self, doc: Doc) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Log probabilities, words by TAGS, and probabilities, words by TRAITS."""
        inputs = {"vectors": self.vectors(words(doc)), "flags": self.flags(doc)}
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
    if meta.get("format") != FORMAT or meta.get("tags") != list(TAGS) or meta.get("traits") != list(TRAITS):
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
            tags, found.token_traits = self.tagger(doc)
            found.candidates.extend(self.mentions(doc, tags))
        return doc

    def mentions(self, doc: Doc, scores: NDArray[np.float32]) -> Iterable[Mention]:
        """The spans of the best tags; a span is as likely as its least likely word."""
        best = decode(scores)
        chosen = np.exp(scores[np.arange(len(best)), best])
        tokens = words(doc)
        for begin, end, kind in spans(best):
            while begin < end and tokens[begin].isspace():
                begin += 1
            while begin < end and tokens[end - 1].isspace():
                end -= 1
            if begin == end:  # nothing but blanks
                continue
            score = self.tagger.calibrated(float(chosen[begin:end].min()))
            yield Mention(doc[begin].idx, doc[end - 1].idx + len(doc[end - 1]), kind, score, "ner")


@Language.factory("medtext_ner", default_config={"model": "fast", "rules": ""})
def create_ner(nlp: Language, name: str, model: str, rules: str) -> EntityRecognizer:  # noqa: ARG001
    return EntityRecognizer(Tagger(find_model(model)))
