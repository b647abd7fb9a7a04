"""Trains the network of `medtext.components.trait_network` on what a model of entities sees, and adds it to its folder.

    python -m medtext.training.trait_network --model models/fast --gold train.jsonl … --dev dev.jsonl …

The model of entities stays as it is. One thread gives the same weights every time. Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from medtext.components.context import CATEGORIES
from medtext.components.networks import read_meta
from medtext.components.surroundings import ANSWERS
from medtext.components.trait_network import HANGING, NOWHERE, PLACES, TYPES, inputs
from medtext.components.traits import possible_traits
from medtext.config import Config
from medtext.findings import findings
from medtext.pipeline import STEPS, build
from medtext.schema import TRAITS
from medtext.training.corpus import read_rows
from medtext.training.export import export_network
from medtext.training.traits import gold_notes

FACTS = 2 * len(CATEGORIES) + len(HANGING) + len(ANSWERS)


@dataclass(frozen=True, slots=True)
class Settings:
    """What was tried and kept."""

    width: int = 128
    heads: int = 4
    hidden: int = 160
    embedded: int = 32
    dropout: float = 0.3
    epochs: int = 9
    rate: float = 1.5e-3
    notes: int = 2  # of a batch
    memory: float = 0.995
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A note's words as the model read them, the network's other inputs, the gold traits, and which count."""

    read: np.ndarray
    given: dict[str, np.ndarray]
    wanted: np.ndarray
    possible: np.ndarray


class Network(nn.Module):
    """One note in, the log odds of its mentions' traits out."""

    def __init__(self, width: int, sections: int, settings: Settings) -> None:
        super().__init__()
        self.heads, size, embedded = settings.heads, settings.width, settings.embedded
        self.own = width // 2  # the words as they are; behind them, as the model read them
        self.norms = nn.ModuleList([nn.LayerNorm(self.own), nn.LayerNorm(width - self.own)])
        self.key, self.value = nn.Linear(width - self.own, size), nn.Linear(width - self.own, size)
        self.place = nn.Embedding(PLACES + 1, size)
        self.nearness = nn.Embedding(PLACES + 1, self.heads)
        nn.init.normal_(self.place.weight, std=0.1)
        nn.init.zeros_(self.nearness.weight)
        self.kind, self.section = nn.Embedding(len(TYPES), embedded), nn.Embedding(sections + 1, embedded)
        self.ask = nn.Linear(width + embedded, size)
        judged = size + 4 * width + 2 * embedded + FACTS
        self.judge = nn.Sequential(
            nn.Linear(judged, settings.hidden),
            nn.ReLU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.hidden, len(TRAITS)),
        )
        self.dropout = nn.Dropout(settings.dropout)

    def forward(
        self,
        read: Tensor,
        begins: Tensor,
        ends: Tensor,
        dates: Tensor,
        window: Tensor,
        places: Tensor,
        types: Tensor,
        sections: Tensor,
        facts: Tensor,
    ) -> Tensor:
        sums = F.pad(read.cumsum(0), (0, 0, 1, 0))
        mention = self._normal((sums[ends] - sums[begins]) / (ends - begins)[:, None])
        dated = (dates[:, 1] > dates[:, 0])[:, None].to(read.dtype)
        length = (dates[:, 1] - dates[:, 0]).clamp(min=1)[:, None]
        date = self._normal((sums[dates[:, 1]] - sums[dates[:, 0]]) / length) * dated
        kind = self.kind(types)
        answer = self._ask(read[:, self.own :], torch.cat([mention, kind], -1), window, places)
        first, last = self._normal(read[begins]), self._normal(read[ends - 1])
        return self.judge(torch.cat([answer, mention, first, last, date, kind, self.section(sections), facts], -1))  # type: ignore[no-any-return]

    def _normal(self, words: Tensor) -> Tensor:
        own, seen = self.norms
        return self.dropout(torch.cat([own(words[:, : self.own]), seen(words[:, self.own :])], -1))  # type: ignore[no-any-return]

    def _ask(self, seen: Tensor, question: Tensor, window: Tensor, places: Tensor) -> Tensor:
        """What the words of each mention's window answer, weighted by how well they fit the question."""
        words = self.dropout(self.norms[1](seen))
        place = self.place(places)
        keys = self._split(self.key(words)[window] + place)
        values = self._split(F.relu(self.value(words)[window] + place))
        asked = self._split(self.ask(question))[:, None]
        fit = (asked * keys).sum(-1) / keys.shape[-1] ** 0.5 + self.nearness(places)
        fit = fit - 1e4 * (places == NOWHERE)[..., None]
        return (fit.softmax(1)[..., None] * values).sum(1).flatten(1)

    def _split(self, states: Tensor) -> Tensor:
        return states.unflatten(-1, (self.heads, -1))


def prepare(rows: Iterable[Mapping[str, Any]], model: Path) -> list[Prepared]:
    """What the network reads of gold notes, through the pipeline as it runs."""
    nlp = build(Config(model=str(model)), steps=STEPS[: STEPS.index("ner") + 1])
    sections = {name: place for place, name in enumerate(read_meta(model)["sections"])}
    prepared = []
    for note in gold_notes(nlp, rows):
        wanted = [[trait in traits for trait in TRAITS] for traits in note.traits]
        possible = [[trait in possible_traits(around.type) for trait in TRAITS] for around in note.seen]
        given = inputs(note.doc, note.seen, sections)
        read = findings(note.doc).read.astype(np.float16)
        prepared.append(Prepared(read, given, np.array(wanted, np.float32), np.array(possible, np.float32)))
    return prepared


def joined(notes: Sequence[Prepared]) -> tuple[list[Tensor], Tensor, Tensor]:
    """Notes as one: places are counted on from the note before."""
    longest = max(note.given["window"].shape[1] for note in notes)
    given: dict[str, list[np.ndarray]] = {}
    before = 0
    for note in notes:
        for name, value in note.given.items():
            if name in ("begins", "ends", "window"):
                value = value + before
            elif name == "dates":
                value = np.where(value[:, 1:] > value[:, :1], value + before, 0)
            if name in ("window", "places"):
                filler = NOWHERE if name == "places" else before
                value = np.pad(value, ((0, 0), (0, longest - value.shape[1])), constant_values=filler)
            given.setdefault(name, []).append(value)
        before += len(note.read)
    read = np.concatenate([note.read for note in notes]).astype(np.float32)
    tensors = [torch.from_numpy(read), *(torch.from_numpy(np.concatenate(values)) for values in given.values())]
    wanted, possible = (np.concatenate([getattr(note, name) for note in notes]) for name in ("wanted", "possible"))
    return tensors, torch.from_numpy(wanted), torch.from_numpy(possible)


def train(notes: Sequence[Prepared], sections: int, settings: Settings, dev: Sequence[Prepared] = ()) -> Network:
    """The network that judges `notes` best. Prints a line an epoch."""
    torch.manual_seed(settings.seed)
    chance = random.Random(settings.seed)
    network = Network(notes[0].read.shape[1], sections, settings)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(settings.memory))
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=0.02)
    order, done = list(notes), 0
    steps = settings.epochs * -(-len(order) // settings.notes)
    began = time.monotonic()
    for epoch in range(settings.epochs):
        chance.shuffle(order)
        network.train()
        total = 0.0
        for at in range(0, len(order), settings.notes):
            for group in optimizer.param_groups:
                group["lr"] = settings.rate * min(1.0, done / 200) * (1 - 0.97 * done / steps)
            loss = loss_of(network, order[at : at + settings.notes])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            average.update_parameters(network)
            total += loss.item()
            done += 1
        held = average.module.eval()
        with torch.no_grad():
            said = sum(loss_of(held, [note]).item() for note in dev) / max(len(dev), 1)
        print(
            f"epoch {epoch} loss {total * settings.notes / len(order):.4f} dev {said:.4f} {time.monotonic() - began:.0f} s",
            flush=True,
        )
    return average.module.eval()  # type: ignore[no-any-return]


def loss_of(network: nn.Module, notes: Sequence[Prepared]) -> Tensor:
    given, wanted, possible = joined(notes)
    errors = F.binary_cross_entropy_with_logits(network(*given), wanted, reduction="none")
    return (errors * possible).sum() / possible.sum()


def export(network: Network, note: Prepared, model: Path) -> None:
    """Writes the network as ONNX into the model's folder; `note` shows what it is given."""
    tensors, _, _ = joined([note])
    names = ("read", *note.given)
    axes = {name: {0: "mentions"} for name in names} | {"read": {0: "words"}, "log_odds": {0: "mentions"}}
    axes["window"] = axes["places"] = {0: "mentions", 1: "asked"}
    export_network(network, dict(zip(names, tensors, strict=True)), ("log_odds",), axes, model / "traits.onnx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a model's folder, to which the network is added")
    parser.add_argument("--gold", type=Path, nargs="+", required=True)
    parser.add_argument("--dev", type=Path, nargs="*", default=[])
    parser.add_argument("--epochs", type=int, default=Settings().epochs)
    options = parser.parse_args()
    torch.set_num_threads(1)
    notes, dev = (prepare(read_rows(paths), options.model) for paths in (options.gold, options.dev))
    sections = len(read_meta(options.model)["sections"])
    network = train(notes, sections, Settings(epochs=options.epochs), dev)
    export(network, notes[0], options.model)


if __name__ == "__main__":
    main()
