"""From notes to what the networks read: the steps that run before the model, run over training notes as well."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from spacy.tokens import Doc

from medtext.components.clues import Flags, clues, section_words
from medtext.config import Config
from medtext.pipeline import CLUES, build
from medtext.training.corpus import Example

RAREST_CLUE = 20  # a clue seen less often in the training notes is left out


@dataclass(frozen=True, slots=True)
class Prepared:
    """A note, or a stretch of one, with its flags; `soft` are a teacher's probabilities, where it has any."""

    words: tuple[str, ...]
    flags: np.ndarray
    tags: np.ndarray
    traits: np.ndarray
    soft: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, part: slice) -> Prepared:
        soft = None if self.soft is None else self.soft[part]
        return Prepared(self.words[part], self.flags[part], self.tags[part], self.traits[part], soft)


class Preparation:
    """Runs the pipeline up to the model over examples."""

    def __init__(self) -> None:
        self.nlp = build(Config(), steps=CLUES)
        self.flags = Flags((), ())

    def doc(self, note: Example) -> Doc:
        doc = Doc(self.nlp.vocab, words=list(note.words), spaces=list(note.spaces))
        for _, step in self.nlp.pipeline:
            doc = step(doc)
        return doc

    def learn_clues(self, notes: Iterable[Example]) -> tuple[list[str], list[str]]:
        """Chooses the clues that `notes` have often enough: the names of span clues and of sections, sorted."""
        spans: Counter[str] = Counter()
        sections: Counter[str] = Counter()
        for note in notes:
            doc = self.doc(note)
            spans.update(name for name, _, _ in clues(doc))
            sections.update(name for name, _, _ in section_words(doc))
        chosen = tuple(
            sorted(name for name, count in counts.items() if count >= RAREST_CLUE) for counts in (spans, sections)
        )
        self.use_clues(*chosen)
        return chosen  # type: ignore[return-value]

    def use_clues(self, spans: Sequence[str], sections: Sequence[str]) -> None:
        """Takes clues chosen before."""
        self.flags = Flags(spans, sections)

    def __call__(self, note: Example) -> Prepared:
        return Prepared(note.words, self.flags(self.doc(note)), note.tags, note.traits, note.soft)


def stretches(note: Prepared, size: int, chance: random.Random) -> Iterable[Prepared]:
    """The note in stretches of at most `size` words, cut elsewhere in each epoch."""
    begin, end = 0, chance.randrange(size // 3, size + 1)
    while begin < len(note):
        yield note[begin:end]
        begin, end = end, end + size


def batches(notes: Sequence[Prepared], size: int, chance: random.Random) -> list[list[Prepared]]:
    """The notes in random order, `size` at a time."""
    order = list(notes)
    chance.shuffle(order)
    return [order[at : at + size] for at in range(0, len(order), size)]
