"""Trains the network of `medtext.components.link_network` on what a model of entities sees, and adds it to its folder.

    python -m medtext.training.links --model models/fast --gold train.jsonl … --dev dev.jsonl …

The model of entities stays as it is. One thread gives the same weights every time. Needs the extra `train`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn

from medtext.components.link_network import inputs
from medtext.config import Config
from medtext.findings import findings
from medtext.link_pairs import MARKS, MOST, TYPES, pairs_of
from medtext.pipeline import READING, build
from medtext.regression import LARGEST
from medtext.schema import Mention
from medtext.training.corpus import read_rows
from medtext.training.export import export_network
from medtext.training.fitting import Fitting, fit_network

FITTING = Fitting(epochs=12, rate=2e-3, batch=16, memory=0.99)
HIDDEN, WIDTH, EMBEDDED, DROPOUT = 160, 96, 16, 0.2

_KEPT = dict.fromkeys(("mentions", "lasts", "followed_by", "led_by", "between"), np.float16)
"""How the widest inputs are kept, since there are many."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the network is given of a note, and which pairs are links."""

    given: dict[str, np.ndarray]
    right: np.ndarray


class Network(nn.Module):
    """Mentions and pairs in; how well each pair fits, and how well each mention stands alone, out.

    `width` is that of the words as they are and as read.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.half = width // 2
        self.plain, self.seen = nn.LayerNorm(self.half), nn.LayerNorm(self.half)
        self.kind = nn.Embedding(len(TYPES), EMBEDDED)
        self.hidden = nn.Linear(width + 3 * self.half + EMBEDDED, HIDDEN)
        self.attribute, self.owner = nn.Linear(HIDDEN, WIDTH), nn.Linear(HIDDEN, WIDTH)
        self.asks, self.answers = nn.Linear(HIDDEN, WIDTH), nn.Linear(HIDDEN, WIDTH)
        self.between, self.marks = nn.Linear(self.half, WIDTH), nn.Linear(len(MARKS), WIDTH)
        self.numbers = nn.ModuleList([nn.Embedding(most + 1, WIDTH) for most in MOST.values()])
        for number in self.numbers:
            nn.init.normal_(number.weight, std=0.1)  # type: ignore[arg-type]
        self.judge = nn.Sequential(
            nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(WIDTH, WIDTH // 2), nn.ReLU(), nn.Linear(WIDTH // 2, 1)
        )
        self.alone = nn.Sequential(nn.Linear(HIDDEN, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))
        self.dropout = nn.Dropout(DROPOUT)

    def forward(
        self,
        mentions: Tensor,
        lasts: Tensor,
        followed_by: Tensor,
        led_by: Tensor,
        types: Tensor,
        pairs: Tensor,
        marks: Tensor,
        between: Tensor,
    ) -> tuple[Tensor, Tensor]:
        said = [self.plain(mentions[:, : self.half])]
        said += [self.seen(words) for words in (mentions[:, self.half :], lasts, followed_by, led_by)]
        known = torch.cat([self.dropout(torch.cat(said, -1)), self.kind(types)], -1)
        known = self.dropout(F.relu(self.hidden(known)))
        child, parent = pairs[:, 0], pairs[:, 1]
        gap = self.dropout(self.seen(between)) * (between.abs().sum(-1, keepdim=True) > 0).to(between.dtype)
        both = self.attribute(known)[child] + self.owner(known)[parent] + self.between(gap) + self.marks(marks)
        both = both + self.asks(known)[child] * self.answers(known)[parent]
        for column, number in enumerate(self.numbers, 2):
            both = both + number(pairs[:, column])
        return self.judge(both).squeeze(-1), self.alone(known).squeeze(-1)


def prepare(rows: Iterable[Mapping[str, Any]], model: Path) -> Iterator[Prepared]:
    """What the network is given of gold notes, through the pipeline as it runs; of those that have a pair."""
    nlp = build(Config(model=str(model)), steps=READING)
    for row in rows:
        spans = sorted(row["spans"], key=lambda span: (span["start"], span["end"], span["type"]))
        place_of = {span["id"]: place for place, span in enumerate(spans)}
        owners = [None if span.get("parent") is None else place_of[span["parent"]] for span in spans]
        mentions = [Mention(span["start"], span["end"], span["type"]) for span in spans]
        doc = nlp(row["text"])
        pairs = pairs_of(row["text"], mentions, [sentence.start_char for sentence in doc.sents])
        if len(pairs):
            given = inputs(doc, findings(doc).read, mentions, pairs)
            kept = {name: values.astype(_KEPT.get(name, values.dtype)) for name, values in given.items()}
            yield Prepared(kept, np.array([owners[child] == owner for child, owner in pairs.numbers[:, :2].tolist()]))


def joined(notes: Sequence[Prepared]) -> tuple[list[Tensor], Tensor]:
    """Notes as one: the places of one go on from the other's."""
    given = {name: np.concatenate([note.given[name] for note in notes]) for name in notes[0].given}
    given = {
        name: values.astype(np.float32) if values.dtype == np.float16 else values for name, values in given.items()
    }
    starts = np.cumsum([0, *(len(note.given["types"]) for note in notes[:-1])])
    given["pairs"][:, :2] += np.repeat(starts, [len(note.right) for note in notes])[:, None]
    return [torch.from_numpy(values) for values in given.values()], torch.from_numpy(
        np.concatenate([note.right for note in notes])
    )


def loss_of(network: nn.Module, notes: Sequence[Prepared]) -> Tensor:
    """Of every attribute, how unlikely its owner is, or that nothing that was looked at owns it."""
    given, right = joined(notes)
    fits, alone = (said.clamp(-LARGEST, LARGEST) for said in network(*given))
    children = given[list(notes[0].given).index("pairs")][:, 0]
    all_of = alone.exp().index_add(0, children, fits.exp()).log()
    owned = torch.zeros(len(alone), dtype=torch.bool).index_fill(0, children[right], True)
    asked = children.unique()
    lonely = asked[~owned[asked]]
    total = (all_of[children[right]] - fits[right]).sum() + (all_of[lonely] - alone[lonely]).sum()
    return total / len(asked)


def train(notes: Sequence[Prepared], how: Fitting, dev: Sequence[Prepared] = ()) -> Network:
    """The network that links the notes best. Prints a line an epoch."""
    torch.manual_seed(how.seed)
    return fit_network(Network(notes[0].given["mentions"].shape[1]), notes, loss_of, how, dev)


def export(network: Network, note: Prepared, model: Path) -> None:
    """Writes the network as ONNX into the model's folder; `note` shows what it is given."""
    given, _ = joined([note])
    axes = {name: {0: "mentions"} for name in (*note.given, "alone")}
    axes |= {name: {0: "pairs"} for name in ("pairs", "marks", "between", "fits")}
    example = dict(zip(note.given, given, strict=True))
    export_network(network, example, ("fits", "alone"), axes, model / "links.onnx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a model's folder, to which the network is added")
    parser.add_argument("--gold", type=Path, nargs="+", required=True)
    parser.add_argument("--dev", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    torch.set_num_threads(1)
    notes, dev = (list(prepare(read_rows(paths), options.model)) for paths in (options.gold, options.dev))
    export(train(notes, FITTING, dev), notes[0], options.model)


if __name__ == "__main__":
    main()
