"""Trains the fast model and writes it to `models/fast`.

    python -m models.train.student --gold train.jsonl … [--silver silver.npz] --dev dev.jsonl … --out models/fast

Gold notes teach by their tags; silver notes (see teacher.py) by the teacher's probabilities (Hinton et al. 2015). Each
epoch sees every note in a new dress (`corpus.augmented`). Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from medtext.components.lexicon import KINDS, load_lexicon
from medtext.components.ner import FLAGS, FORMAT, lexicon_flags
from medtext.decoding import TAGS, decode
from medtext.features import SHAPES, WordRows, normal
from medtext.rulebook import rules_dir
from medtext.schema import TRAITS
from models.train import corpus
from models.train.corpus import UNMARKED, Example
from models.train.network import Encoder

WINDOW = 160


@dataclass(frozen=True, slots=True)
class Settings:
    """What was tried and kept; see the model card."""

    width: int = 192
    dilations: tuple[int, ...] = (1, 2, 4, 1)
    buckets: int = 24_000
    rarest: int = 3  # a word seen less often has no row of its own
    dropout: float = 0.2
    epochs: int = 12
    rate: float = 2e-3
    batch: int = 24
    seed: int = 0
    style_copies: int = 3
    lexicon_dropout: float = 0.1  # notes trained without lexicon flags, so that the model does not lean on them
    trait_weight: float = 0.3
    memory: float = 0.998  # of the running average of weights that is kept in the end
    word_dropout: float = 0.1  # known words read by their pieces alone, as a word never seen is


@dataclass(frozen=True, slots=True)
class Taught:
    """A stretch of a note ready for the network; `soft` are the teacher's probabilities, where it has any."""

    rows: list[list[int]]
    flags: np.ndarray
    tags: np.ndarray
    traits: np.ndarray
    soft: np.ndarray | None


class Student(nn.Module):
    """The table of word rows under the encoder that ships."""

    def __init__(self, rows: int, flags: int, settings: Settings) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(rows, settings.width, mode="sum", sparse=True)
        nn.init.normal_(self.table.weight, std=0.1)
        self.encoder = Encoder(settings.width, settings.dilations, flags, settings.dropout)

    def forward(self, notes: Sequence[Taught]) -> tuple[Tensor, Tensor]:
        length = WINDOW if len(notes) > 1 else len(notes[0].rows)
        rows, starts, mask, flags = [], [], torch.zeros(len(notes), length, 1), []
        for place, note in enumerate(notes):
            mask[place, : len(note.rows)] = 1
            for word in note.rows:
                starts.append(len(rows))
                rows.extend(word)
            starts.extend([len(rows)] * (length - len(note.rows)))
            flags.append(np.pad(note.flags, ((0, length - len(note.flags)), (0, 0))))
        vectors = self.table(torch.tensor(rows), torch.tensor(starts)).view(len(notes), length, -1)
        return self.encoder(vectors, torch.from_numpy(np.stack(flags)), mask)  # type: ignore[no-any-return]


class Teaching:
    """Turns notes into what the network reads: word rows and lexicon flags."""

    def __init__(self, vocabulary: Sequence[str], settings: Settings, rules: Path) -> None:
        self.settings = settings
        self.rows = WordRows(vocabulary, settings.buckets)
        self.lexicon = load_lexicon(rules / "lexicons")
        self._cache: dict[str, list[int]] = {}

    def word(self, word: str) -> list[int]:
        if word not in self._cache:
            self._cache[word] = self.rows(word)
        return self._cache[word]

    def note(self, note: Example, soft: np.ndarray | None = None, chance: random.Random | None = None) -> Taught:
        """The note as the network reads it; with `chance`, some words and the flags of some notes are hidden."""
        rows = [self.word(word) for word in note.words]
        flags = np.zeros((len(note), FLAGS), dtype=np.float32)
        if not chance or chance.random() >= self.settings.lexicon_dropout:
            flags = lexicon_flags(self.lexicon.matches(note.words), len(note))
        if chance:
            rows = [self._hidden(word) if chance.random() < self.settings.word_dropout else word for word in rows]
        return Taught(rows, flags, note.tags, note.traits, soft)

    def _hidden(self, rows: list[int]) -> list[int]:
        """The word without its own row."""
        return [row for row in rows if not SHAPES <= row < self.rows.first_hashed]


def pieces_of(note: Taught, chance: random.Random) -> Iterable[Taught]:
    """The note in windows, cut elsewhere in each epoch."""
    begin, end = 0, chance.randrange(WINDOW // 3, WINDOW + 1)
    while begin < len(note.rows):
        soft = None if note.soft is None else note.soft[begin:end]
        yield Taught(
            note.rows[begin:end], note.flags[begin:end], note.tags[begin:end], note.traits[begin:end], soft
        )
        begin, end = end, end + WINDOW


def loss_of(model: Student, notes: Sequence[Taught], settings: Settings) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        tags, traits = model(notes)
    total = torch.zeros(())
    count = 0
    for place, note in enumerate(notes):
        length = len(note.rows)
        logits = tags[place, :length]
        if note.soft is None:
            total = total + F.cross_entropy(
                logits, torch.from_numpy(note.tags), ignore_index=UNMARKED, reduction="sum"
            )
        else:
            wanted = torch.from_numpy(note.soft.astype(np.float32))
            total = total - (wanted * logits.log_softmax(-1)).sum()
        told = torch.from_numpy(note.traits.astype(np.float32))
        known = told >= 0
        if known.any():
            guess = traits[place, :length][known]
            total = total + settings.trait_weight * F.binary_cross_entropy_with_logits(
                guess, told[known], reduction="sum"
            ) / len(TRAITS) * 2
        count += length
    return total / count


def vocabulary_of(notes: Iterable[Example], rarest: int) -> list[str]:
    counts = Counter(normal(word) for note in notes for word in note.words if not word.isspace())
    return sorted(word for word, count in counts.items() if count >= rarest)


@torch.no_grad()
def predicted(model: Student, teaching: Teaching, notes: Iterable[Example]) -> list[np.ndarray]:
    model.eval()
    return [decode(model([teaching.note(note)])[0][0].log_softmax(-1).numpy()) for note in notes]


def train(
    reports: Sequence[Example],
    styles: Sequence[Example],
    silver: Sequence[tuple[Example, np.ndarray]],
    dev: dict[str, Sequence[Example]],
    settings: Settings,
) -> tuple[Student, Teaching, list[str]]:
    """The trained network, what prepares notes for it, and its vocabulary. Prints a line an epoch."""
    torch.manual_seed(settings.seed)
    chance = random.Random(settings.seed)
    vocabulary = vocabulary_of([*reports, *styles, *(note for note, _ in silver)], settings.rarest)
    teaching = Teaching(vocabulary, settings, rules_dir())
    model = Student(len(teaching.rows), FLAGS, settings)
    quiet = [teaching.note(note, soft) for note, soft in silver]
    gold = [*reports, *(note for note in styles for _ in range(settings.style_copies))]
    rows = torch.optim.SparseAdam(model.table.parameters(), lr=settings.rate)
    layers = torch.optim.AdamW(model.encoder.parameters(), lr=settings.rate, weight_decay=0.01)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.memory))
    began = time.monotonic()
    for epoch in range(settings.epochs):
        stretches = [piece for note in epoch_of(gold, quiet, teaching, chance) for piece in pieces_of(note, chance)]
        chance.shuffle(stretches)
        batches = [stretches[at : at + settings.batch] for at in range(0, len(stretches), settings.batch)]
        model.train()
        total = 0.0
        for number, batch in enumerate(batches):
            rate = settings.rate * pace((epoch + number / len(batches)) / settings.epochs)
            for optimizer in (rows, layers):
                for group in optimizer.param_groups:
                    group["lr"] = rate
                optimizer.zero_grad()
            loss = loss_of(model, batch, settings)
            loss.backward()
            nn.utils.clip_grad_norm_(model.encoder.parameters(), 1.0)
            rows.step()
            layers.step()
            average.update_parameters(model)
            total += loss.item()
        said = {
            name: round(corpus.scores([note.tags for note in notes], predicted(average.module, teaching, notes))["f"], 4)
            for name, notes in dev.items()
        }
        print(f"epoch {epoch} loss {total / len(batches):.4f} {said} {time.monotonic() - began:.0f} s", flush=True)
    return average.module, teaching, vocabulary


def epoch_of(
    gold: Sequence[Example], silver: Sequence[Taught], teaching: Teaching, chance: random.Random
) -> Iterable[Taught]:
    """Every gold note in a new dress, and the silver notes as they are."""
    for note in gold:
        yield teaching.note(corpus.augmented(note, chance), chance=chance)
    yield from silver


def pace(progress: float) -> float:
    """The learning rate's share: up over a twentieth of the way, then down to nothing."""
    return min(progress / 0.05, 1.0 - 0.98 * progress) if progress < 0.05 else 1.0 - 0.98 * progress
