"""The network that judges traits by what the entity model saw: each mention asks the words round it.

A mention's words ask, the words up to `LEFT` before and `RIGHT` after it answer (attention: Vaswani et al. 2017), by how
they were read, which words they are, how far away they stand, and whether that is in another sentence or on another line.
ConText's verdicts, the section and what hangs on the mention are read beside the answer. Trained by
`medtext/training/traits.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from math import ceil, copysign, log2
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import SENT_START
from spacy.tokens import Doc

from medtext.components.answers import ANSWERS
from medtext.components.context import CATEGORIES
from medtext.components.ner import learned
from medtext.components.networks import open_session, read_meta
from medtext.components.surroundings import Surroundings
from medtext.config import find_model
from medtext.features import normal
from medtext.findings import words
from medtext.link_pairs import TYPES
from medtext.schema import TRAITS

LEFT, RIGHT = 30, 16  # words
GROUP = 64  # mentions that are judged at once
WIDEST = 384  # columns of a model that is one network
REMEMBERED = 50_000  # words whose numbers are kept
UNKNOWN, BLANK, FIRST_WORD = 0, 1, 2
EXACT = 6  # words that are told apart one by one; farther away, by ever wider steps
STEPS = 11  # of distance, each way
DISTANCES = 2 * STEPS + 1
PLACES = 4 * DISTANCES  # distances in the sentence and line, in another sentence, on another line, in both
NOWHERE = PLACES  # farther away
HANGING = (
    *("TIME_EXPRESSION", "DATE", "TEST_VALUE", "DOSAGE", "STRENGTH", "FREQUENCY", "DURATION"),
    *("ACUITY", "QUALITY", "SYSTEM_ORGAN_SITE"),
)
DATING = ("TIME_EXPRESSION", "DATE")
FACTS = {
    name: place
    for place, name in enumerate([*CATEGORIES, *(f"near {category}" for category in CATEGORIES), *HANGING, *ANSWERS])
}
"""What is told of a mention beside the words, and its column."""

Inputs = dict[str, NDArray[np.float32] | NDArray[np.int64]]


def _step(distance: int) -> int:
    if abs(distance) <= EXACT:
        return distance + STEPS
    far = EXACT + ceil(log2(abs(distance) / EXACT + 1) * 1.5)
    return STEPS + int(copysign(min(far, STEPS), distance))


STEP_OF = np.array([_step(distance) for distance in range(-LEFT, RIGHT + 1)], dtype=np.int32)


class Numbering:
    """The numbers by which the network knows words and sections: those of a model's folder (`words.txt`, `meta.json`)."""

    def __init__(self, words: Sequence[str], sections: Sequence[str]) -> None:
        self._words = {word: place for place, word in enumerate(words, FIRST_WORD)}
        self._sections = {name: place for place, name in enumerate(sections)}
        self.word: Callable[[str], int] = lru_cache(REMEMBERED)(self._word)
        """The number of a word as it is spelt, digits alike: `UNKNOWN` for one that has none, `BLANK` for blanks."""

    @classmethod
    def of(cls, model: str) -> Numbering:
        """From a model, by name or folder."""
        path = learned(model, "words.txt")
        return cls(path.read_text(encoding="utf-8").split("\n"), read_meta(find_model(model))["sections"])

    def __len__(self) -> int:
        return FIRST_WORD + len(self._words)

    @property
    def sections(self) -> int:
        """How many there are, without the one for those that have no number."""
        return len(self._sections)

    def section(self, name: str) -> int:
        return self._sections.get(name, len(self._sections))

    def _word(self, word: str) -> int:
        return BLANK if word.isspace() else self._words.get(normal(word), UNKNOWN)


class TraitNetwork:
    """Log odds of traits for the mentions of a Doc that the entity model has read."""

    def __init__(self, path: Path, numbering: Numbering) -> None:
        self._numbering = numbering
        self._session = open_session(path)

    def __call__(self, doc: Doc, read: NDArray[np.float32], seen: Sequence[Surroundings]) -> NDArray[np.float64]:
        """Mentions by TRAITS. `read` are the words as the entity model read them."""
        judged = [self._session.run(None, given)[0] for given in inputs(doc, read, seen, self._numbering)]
        return np.concatenate([np.zeros((0, len(TRAITS))), *judged])


def width_of(read: int) -> int:
    """How many of the columns in which a model read the words, the last ones, the words round a mention answer by.

    All of a model that is one network; of one beside another its own half (see `ner.Tagger`).
    """
    return read if read <= WIDEST else read // 2


def inputs(doc: Doc, read: NDArray[np.float32], seen: Sequence[Surroundings], numbering: Numbering) -> Iterator[Inputs]:
    """What the network is given, of `GROUP` mentions and the words round them at a time."""
    width = width_of(read.shape[1])
    numbers = np.array([numbering.word(word) for word in words(doc)])
    sentence = np.cumsum(doc.to_array(SENT_START) == 1).astype(np.int32)
    line = np.cumsum(["\n" in word for word in words(doc)], dtype=np.int32)
    for at in range(0, len(seen), GROUP):
        group = seen[at : at + GROUP]
        begins = np.array([around.begin for around in group])
        ends = np.array([around.end for around in group])
        part = slice(max(0, int(begins.min()) - LEFT), int(ends.max()) + RIGHT)
        yield {
            "words": read[part, read.shape[1] - width :],
            "numbers": numbers[part],
            "places": places(begins - part.start, ends - part.start, sentence[part], line[part]),
            "begins": begins - part.start,
            "ends": ends - part.start,
            "mentions": means(read, begins, ends),
            "firsts": read[begins],
            "lasts": read[ends - 1],
            "dates": _dates(read, group),
            "types": np.array([TYPES[around.type] for around in group]),
            "sections": np.array([numbering.section(around.section) for around in group]),
            "facts": _facts(group),
        }


def means(read: NDArray[np.float32], begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float32]:
    """The mean word of each mention."""
    means = read[begins]
    wide = np.flatnonzero(ends - begins > 1)
    for place in wide.tolist():
        np.add.reduce(read[begins[place] : ends[place]], axis=0, out=means[place])
    means[wide] /= (ends - begins)[wide, None]
    return means


def _dates(read: NDArray[np.float32], group: Sequence[Surroundings]) -> NDArray[np.float32]:
    """The mean word of what dates each mention; zeros where nothing does."""
    means = np.zeros((len(group), read.shape[1]), dtype=np.float32)
    for place, around in enumerate(group):
        for kind, begin, end in around.attributes:
            if kind in DATING:
                means[place] = read[begin:end].mean(0)
                break
    return means


def places(
    begins: NDArray[np.int64], ends: NDArray[np.int64], sentence: NDArray[np.int32], line: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Where each word stands from each mention, mentions by words; `sentence` and `line` are the words' numbers."""
    word = np.arange(len(sentence), dtype=np.int32)
    first, last = begins[:, None].astype(np.int32), ends[:, None].astype(np.int32)
    distance = np.where(word < first, word - first, np.maximum(word - last + 1, 0))
    within = (distance >= -LEFT) & (distance <= RIGHT)
    found = STEP_OF[np.where(within, distance, 0) + LEFT]
    found = (
        found + DISTANCES * (sentence != sentence[begins][:, None]) + 2 * DISTANCES * (line != line[begins][:, None])
    )
    return np.where(within, found, NOWHERE).astype(np.int64)


def _facts(group: Sequence[Surroundings]) -> NDArray[np.float32]:
    """ConText's verdicts and how near their cues are, what hangs on each mention, and how a form answers it."""
    facts = np.zeros((len(group), len(FACTS)), dtype=np.float32)
    for row, around in zip(facts, group, strict=True):
        for verdict in around.verdicts:
            row[FACTS[verdict.category]] = 1
            row[FACTS[f"near {verdict.category}"]] = 1 / (1 + max(verdict.distance, 0))
        for kind, _, _ in around.attributes:
            if kind in HANGING:
                row[FACTS[kind]] = 1
        if around.answer:
            row[FACTS[around.answer]] = 1
    return facts
