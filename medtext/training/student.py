"""Trains the fast model and writes it to `models/fast`.

    python -m medtext.training.student --gold train.jsonl --styles other_styles.jsonl models/gold/styles.jsonl \
        --dev dev.jsonl dev_other_styles.jsonl --out models/fast [--silver silver.npz]

Gold notes teach by their tags; silver notes (see teacher.py) by the teacher's probabilities (Hinton et al. 2015). Each
epoch sees every gold note in a new dress (`dress.Dresser`). Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from medtext.features import SHAPES, WordRows, normal
from medtext.training import corpus
from medtext.training.corpus import Example
from medtext.training.dress import Dresser
from medtext.training.network import Encoder
from medtext.training.prepare import Preparation, Prepared, batches, stretches

WINDOW = 160  # words


@dataclass(frozen=True, slots=True)
class Settings:
    """What was tried and kept; see the model card."""

    width: int = 192
    dilations: tuple[int, ...] = (1, 2, 4, 1)
    buckets: int = 24_000
    rarest: int = 3  # a word seen less often has no row of its own
    dropout: float = 0.2
    epochs: int = 10
    rate: float = 2e-3
    batch: int = 24
    seed: int = 0
    style_copies: int = 3  # of every note of other styles in an epoch
    flag_dropout: float = 0.1  # notes read without flags, so that the model does not lean on them
    word_dropout: float = 0.1  # known words read by their pieces alone, as a word never seen is
    trait_weight: float = 0.07
    memory: float = 0.998  # of the running average of weights that is kept in the end


class Student(nn.Module):
    """The table of word rows under the encoder that ships."""

    def __init__(self, vocabulary: Sequence[str], flags: int, settings: Settings) -> None:
        super().__init__()
        self.rows = WordRows(vocabulary, settings.buckets)
        self.table = nn.EmbeddingBag(len(self.rows), settings.width, mode="sum", sparse=True)
        nn.init.normal_(self.table.weight, std=0.1)
        self.encoder = Encoder(settings.width, settings.dilations, flags, settings.dropout)
        self.settings = settings
        self._cache: dict[str, list[int]] = {}

    def forward(self, notes: Sequence[Prepared], chance: random.Random | None = None) -> tuple[Tensor, Tensor]:
        """Tag and trait logits, notes by words. With `chance`, some words are read by their pieces alone."""
        length = WINDOW if len(notes) > 1 else len(notes[0])
        mask = torch.zeros(len(notes), length, 1)
        rows: list[int] = []
        starts: list[int] = []
        for place, note in enumerate(notes):
            mask[place, : len(note)] = 1
            for word in note.words:
                starts.append(len(rows))
                rows.extend(self._word(word, chance))
            starts.extend([len(rows)] * (length - len(note)))
        flags = np.stack([np.pad(note.flags, ((0, length - len(note)), (0, 0))) for note in notes])
        vectors = self.table(torch.tensor(rows), torch.tensor(starts)).view(len(notes), length, -1)
        return self.encoder(vectors, torch.from_numpy(flags), mask)  # type: ignore[no-any-return]

    def _word(self, word: str, chance: random.Random | None) -> list[int]:
        if word not in self._cache:
            self._cache[word] = self.rows(word)
        rows = self._cache[word]
        if chance and chance.random() < self.settings.word_dropout:
            return [row for row in rows if not SHAPES <= row < self.rows.first_hashed]
        return rows


def loss_of(tags: Tensor, traits: Tensor, notes: Sequence[Prepared], trait_weight: float) -> Tensor:
    """Cross entropy of tags (against gold, or against a teacher's probabilities) and of the traits of spans."""
    total, words = torch.zeros(()), 0
    for place, note in enumerate(notes):
        logits = tags[place, : len(note)]
        if note.soft is None:
            wanted = torch.from_numpy(note.tags)
            total = total + F.cross_entropy(logits, wanted, reduction="sum")
        else:
            total = total - (torch.from_numpy(note.soft.astype(np.float32)) * logits.log_softmax(-1)).sum()
        told = torch.from_numpy(note.traits.astype(np.float32))
        known = told >= 0
        guess = traits[place, : len(note)][known]
        total = total + trait_weight * F.binary_cross_entropy_with_logits(guess, told[known], reduction="sum")
        words += len(note)
    return total / words


def vocabulary_of(notes: Iterable[Example], rarest: int) -> list[str]:
    """The words seen at least `rarest` times, sorted."""
    counts = Counter(normal(word) for note in notes for word in note.words if not word.isspace())
    return sorted(word for word, count in counts.items() if count >= rarest)


@torch.no_grad()
def f1(model: Student, notes: Iterable[Prepared]) -> float:
    """Exact span F1 of the model's own spans."""
    model.eval()
    notes = list(notes)
    read = (model([note])[0][0].log_softmax(-1).numpy() for note in notes)
    return corpus.exact_f1([note.tags for note in notes], read)


def train(
    reports: Sequence[Example],
    styles: Sequence[Example],
    silver: Sequence[Example],
    settled: Sequence[Example],
    dev: Mapping[str, Sequence[Example]],
    settings: Settings,
    start: tuple[Student, dict[str, list[str]]] | None = None,
    say: Callable[[str], None] = print,
) -> tuple[Student, Preparation, dict[str, list[str]]]:
    """The trained network, what prepares notes for it, and its words and clues. Says a line an epoch.

    Args:
        reports: gold notes, seen once an epoch.
        styles: gold notes, seen `style_copies` times an epoch.
        silver: notes that a teacher labelled.
        settled: parts of such notes that annotators settled (see `corpus.settled`).
        dev: gold notes to score after each epoch, by name.
        settings: see `Settings`; with `start`, its width, dilations and buckets are `start`'s.
        start: a network to train on from, with its words and clues (see `export.restore`).
        say: takes the lines.
    """
    torch.manual_seed(settings.seed)
    chance = random.Random(settings.seed)
    prepare = Preparation()
    if start:
        model, names = start
        model.settings = settings
        prepare.use_clues(names["clues"], names["sections"])
    else:
        clues, sections = prepare.learn_clues([*reports, *styles])
        names = {
            "words": vocabulary_of([*reports, *styles, *silver], settings.rarest),
            "clues": clues,
            "sections": sections,
        }
        model = Student(names["words"], prepare.flags.width, settings)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.memory))
    optimizers = (
        torch.optim.SparseAdam(model.table.parameters(), lr=settings.rate),
        torch.optim.AdamW(model.encoder.parameters(), lr=settings.rate, weight_decay=0.01),
    )
    dress = Dresser([*reports, *styles], prepare, settings.flag_dropout)
    labelled = [prepare(note) for note in [*silver, *settled]]
    held_out = {name: [prepare(note) for note in notes] for name, notes in dev.items()}
    gold = [*reports, *(note for note in styles for _ in range(settings.style_copies))]
    began = time.monotonic()
    for epoch in range(settings.epochs):
        notes = [*(dress(note, chance) for note in gold), *labelled]
        parts = batches([part for note in notes for part in stretches(note, WINDOW, chance)], settings.batch, chance)
        model.train()
        total = 0.0
        for number, part in enumerate(parts):
            rate = settings.rate * pace((epoch + number / len(parts)) / settings.epochs)
            total += step(model, part, optimizers, rate, chance)
            average.update_parameters(model)
        said = {name: round(f1(average.module, notes), 4) for name, notes in held_out.items()}
        say(f"epoch {epoch} loss {total / len(parts):.4f} {said} {time.monotonic() - began:.0f} s")
    return average.module, prepare, names


def step(
    model: Student,
    notes: Sequence[Prepared],
    optimizers: Sequence[torch.optim.Optimizer],
    rate: float,
    chance: random.Random,
) -> float:
    """One step of the optimizers; returns the loss."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        tags, traits = model(notes, chance)
    loss = loss_of(tags, traits, notes, model.settings.trait_weight)
    loss.backward()
    nn.utils.clip_grad_norm_(model.encoder.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
    return loss.item()


def pace(progress: float) -> float:
    """The learning rate's share: up over a twentieth of the way, then down to nearly nothing."""
    return progress / 0.05 if progress < 0.05 else 1.0 - 0.98 * progress


def _sample(notes: list[Example], share: float) -> list[Example]:
    """A share of the notes, the same ones every time."""
    return random.Random(0).sample(notes, round(share * len(notes)))


def main() -> None:
    from medtext.training.export import calibrate, export

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, nargs="+", required=True, help="reports")
    parser.add_argument("--styles", type=Path, nargs="*", default=[], help="notes of other styles, seen more often")
    parser.add_argument("--silver", type=Path, help="notes labelled by medtext.training.teacher")
    parser.add_argument(
        "--settled", type=Path, nargs="*", default=[], help="what annotators settled in notes of --silver"
    )
    parser.add_argument("--dev", type=Path, nargs="+", required=True, help="held out: scored, and calibrated on")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0, help="of the gold notes to train on, for a learning curve")
    parser.add_argument("--version", default="1")
    parser.add_argument("--epochs", type=int, default=Settings().epochs)
    parser.add_argument("--seed", type=int, default=Settings().seed)
    parser.add_argument("--threads", type=int, default=1, help="one gives the same weights every time")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    settings = Settings(epochs=options.epochs, seed=options.seed)
    dev = {path.stem: corpus.read_gold([path]) for path in options.dev}
    silver = corpus.read_silver(options.silver) if options.silver else []
    reports, styles = (_sample(corpus.read_gold(paths), options.share) for paths in (options.gold, options.styles))
    settled = corpus.settled(silver, corpus.read_rows(options.settled))
    model, prepare, names = train(reports, styles, silver, settled, dev, settings)
    meta = {"name": options.out.name, "version": options.version}
    export(model, {**meta, **names}, options.out)
    calibrate(options.out, prepare, [note for notes in dev.values() for note in notes])


if __name__ == "__main__":
    main()
