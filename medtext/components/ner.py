"""The trained model: it tags the words of a note, reading them and the clues of the steps before it.

A model is a folder that `medtext.training` made. It is one network, or one beside others ("with" in its `meta.json`, folders
named from its own), whose probabilities are averaged.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.networks import KINDS, Network, Read, read_meta
from medtext.config import find_model
from medtext.decoding import decode, spans
from medtext.findings import findings, offsets, words
from medtext.schema import Mention

LEAST = 1e-9  # a probability before its logarithm


class Tagger:
    """A loaded model: a Doc that the finders have seen in, log probabilities of tags out."""

    def __init__(self, folder: Path) -> None:
        """Loads `folder`. Raises `ModelError` where there is no model, or one of another format or label set."""
        self.meta = read_meta(folder)
        self._networks: list[Network] = [KINDS[self.meta["kind"]](folder, self.meta)]
        for other in self.meta.get("with", ()):
            meta = read_meta(folder / other)
            self._networks.append(KINDS[meta["kind"]](folder / other, meta))
        self.set_calibration(*self.meta["calibration"])

    def set_calibration(self, probabilities: Sequence[float], shares: Sequence[float]) -> None:
        """What `calibrated` makes of probabilities: the points of a curve, in between it is straight."""
        self._calibration = np.array([probabilities, shares], dtype=np.float64)

    @property
    def version(self) -> str:
        return f"{self.meta['name']}-{self.meta['version']}"

    def __call__(self, doc: Doc) -> Read:
        """Log probabilities, words by TAGS, and the words as the networks read them.

        Those of networks beside this one come first: the second half, which is what the words round a mention answer by
        (`trait_network.inputs`), is then this one's.
        """
        read = [network(doc) for network in self._networks]
        if len(read) == 1:
            return read[0]
        tags = np.mean([np.exp(tags) for tags, _ in read], axis=0)
        return np.log(np.maximum(tags, LEAST)), np.concatenate([words for _, words in reversed(read)], axis=1)

    def calibrated(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """The shares of spans with these probabilities that were right on notes held out from training."""
        seen, right = self._calibration
        return np.interp(probabilities, seen, right)


def learned(model: str, name: str) -> Path:
    """The file `name` of a model, or of a network beside it that has it."""
    folder = find_model(model)
    folders = [folder, *(folder / other for other in read_meta(folder).get("with", ()))]
    return next((one / name for one in folders if (one / name).is_file()), folder / name)


class EntityRecognizer:
    """The spaCy component: the model's spans into `candidates`, what it saw of the words into `tags` and `read`."""

    def __init__(self, tagger: Tagger) -> None:
        self.tagger = tagger

    def __call__(self, doc: Doc) -> Doc:
        if len(doc):
            found = findings(doc)
            found.tags, found.read = self.tagger(doc)
            found.candidates.extend(self.mentions(doc, found.tags))
        return doc

    def mentions(self, doc: Doc, scores: NDArray[np.float32]) -> Iterable[Mention]:
        """The spans of the best tags; a span is as likely as its least likely word."""
        best, tokens, starts = decode(scores), words(doc), offsets(doc)
        found = [span for span in (_without_blanks(tokens, *span) for span in spans(best)) if span[0] < span[1]]
        if not found:
            return []
        chosen = np.append(np.exp(scores[np.arange(len(best)), best]), 1.0)  # a place after the last, to end a span at
        least = np.minimum.reduceat(chosen, [place for begin, end, _ in found for place in (begin, end)])[::2]
        return [
            Mention(starts[begin], starts[end - 1] + len(tokens[end - 1]), kind, score, "ner")
            for (begin, end, kind), score in zip(found, self.tagger.calibrated(least).tolist(), strict=True)
        ]


def _without_blanks(tokens: Sequence[str], begin: int, end: int, kind: str) -> tuple[int, int, str]:
    """The span without blanks at its ends; an empty one where there is nothing else."""
    while begin < end and tokens[begin].isspace():
        begin += 1
    while begin < end and tokens[end - 1].isspace():
        end -= 1
    return begin, end, kind


@Language.factory("medtext_ner", default_config={"model": "fast", "rules": ""})
def create_ner(nlp: Language, name: str, model: str, rules: str) -> EntityRecognizer:  # noqa: ARG001
    return EntityRecognizer(Tagger(find_model(model)))
