"""Trains the network of `medtext.components.trait_network` on what a model of entities sees, and adds it to its folder.

    python -m medtext.training.traits --model models/fast --gold train.jsonl … --dev dev.jsonl … \
        [--silver notes.jsonl.gz … --teacher models/accurate]

The model of entities stays as it is. `--silver` are raw notes in which a better model finds and judges mentions: how likely
it holds each trait teaches beside the gold (Hinton et al. 2015). One thread gives the same weights every time. Needs the
extra `train`.
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
from spacy.language import Language
from spacy.tokens import Doc
from torch import Tensor, nn

from medtext.components.context import Context, ContextCue
from medtext.components.surroundings import Surroundings, surroundings
from medtext.components.trait_network import FACTS, NOWHERE, PLACES, UNKNOWN, Numbering, inputs, width_of
from medtext.components.traits import POSSIBLE_MASKS, TraitFinder, likelihood, possible_traits
from medtext.config import Config
from medtext.findings import findings
from medtext.link_pairs import TYPES
from medtext.pipeline import READING, build
from medtext.rulebook import load_table, rules_dir
from medtext.schema import TRAITS, Mention
from medtext.training.corpus import read_rows
from medtext.training.export import export_network
from medtext.training.fitting import Fitting, fit_network
from medtext.training.silver import raw_notes


@dataclass(frozen=True, slots=True)
class Settings:
    """What was tried and kept."""

    width: int = 128
    heads: int = 4
    hidden: int = 160
    embedded: int = 32
    spelt: int = 48  # columns of a word by its number, and of it with its neighbours
    unknown: float = 0.1  # of the words, taken for ones that have no number
    dropout: float = 0.3
    epochs: int = 9
    rate: float = 2e-3
    groups: int = 3  # of a batch
    memory: float = 0.995
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the network is given of a group of mentions, their gold traits, and which of these count."""

    given: dict[str, np.ndarray]
    wanted: np.ndarray
    possible: np.ndarray


class Network(nn.Module):
    """A group of mentions in, the log odds of their traits out. `width` is that of the words as they are and as read."""

    def __init__(self, width: int, numbering: Numbering, settings: Settings) -> None:
        super().__init__()
        self.heads, size, embedded, spelt = settings.heads, settings.width, settings.embedded, settings.spelt
        self.half, self.unknown = width // 2, settings.unknown
        self.plain, self.seen = nn.LayerNorm(self.half), nn.LayerNorm(self.half)
        self.word = nn.Embedding(len(numbering), spelt)
        nn.init.normal_(self.word.weight, std=0.1)
        self.neighbours = nn.Linear(3 * spelt, spelt)
        known = width_of(width) + 2 * spelt
        self.key, self.value = nn.Linear(known, size), nn.Linear(known, size)
        self.place = nn.Embedding(PLACES + 1, size)
        self.nearness = nn.Embedding(PLACES + 1, self.heads)
        nn.init.normal_(self.place.weight, std=0.1)
        nn.init.zeros_(self.nearness.weight)
        self.kind, self.section = nn.Embedding(len(TYPES), embedded), nn.Embedding(numbering.sections + 1, embedded)
        self.question = nn.Linear(width + embedded + 2 * spelt, size)
        self.judge = nn.Sequential(
            nn.Linear(size + 4 * width + 2 * embedded + len(FACTS) + 2 * spelt, settings.hidden),
            nn.ReLU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.hidden, len(TRAITS)),
        )
        self.dropout = nn.Dropout(settings.dropout)

    def forward(
        self,
        words: Tensor,
        numbers: Tensor,
        places: Tensor,
        begins: Tensor,
        ends: Tensor,
        mentions: Tensor,
        firsts: Tensor,
        lasts: Tensor,
        dates: Tensor,
        types: Tensor,
        sections: Tensor,
        facts: Tensor,
    ) -> Tensor:
        kind = self.kind(types)
        mention, first, last = map(self._normal, (mentions, firsts, lasts))
        date = self._normal(dates) * (dates.abs().sum(-1, keepdim=True) > 0).to(dates.dtype)
        if self.training:
            numbers = torch.where(torch.rand(len(numbers)) < self.unknown, UNKNOWN, numbers)
        spelt = self.word(numbers)
        before = F.pad(spelt.cumsum(0), (0, 0, 1, 0))
        means = (before[ends] - before[begins]) / (ends - begins)[:, None]
        own = self.dropout(torch.cat([means, spelt[ends - 1]], -1))
        around = torch.cat([F.pad(spelt, (0, 0, 1, 0))[:-1], spelt, F.pad(spelt, (0, 0, 0, 1))[1:]], -1)
        spelt = self.dropout(torch.cat([spelt, F.relu(self.neighbours(around))], -1))
        known = torch.cat([self._normal(words), spelt], -1)
        answer = self._ask(known, torch.cat([mention, kind, own], -1), places)
        return self.judge(torch.cat([answer, mention, first, last, date, kind, self.section(sections), facts, own], -1))  # type: ignore[no-any-return]

    def _normal(self, words: Tensor) -> Tensor:
        """Words as they are and as read, or as read alone."""
        parts = [self.seen(words[:, -self.half :])]
        if words.shape[1] > self.half:
            parts.insert(0, self.plain(words[:, : self.half]))
        return self.dropout(torch.cat(parts, -1))  # type: ignore[no-any-return]

    def _ask(self, words: Tensor, asking: Tensor, places: Tensor) -> Tensor:
        """What the words answer each mention, weighted by how well they and where they stand fit its question."""
        question = self._split(self.question(asking))  # heads, mentions, width of a head
        keys, values = self._split(self.key(words)), self._split(F.relu(self.value(words)))
        where = question @ self._split(self.place.weight).transpose(-1, -2) + self.nearness.weight.T[:, None]
        fit = question @ keys.transpose(-1, -2) + where.gather(-1, places.expand(self.heads, -1, -1))
        fit = fit / keys.shape[-1] ** 0.5 - 1e4 * (places == NOWHERE)
        return (fit.softmax(-1) @ values).transpose(0, 1).flatten(1)

    def _split(self, states: Tensor) -> Tensor:
        return states.unflatten(-1, (self.heads, -1)).transpose(0, 1)


@dataclass(frozen=True, slots=True)
class GoldNote:
    """A note's mentions that can have traits: what stands round each, and gold's traits."""

    doc: Doc
    seen: list[Surroundings]
    traits: list[frozenset[str]]


def gold_notes(nlp: Language, rows: Iterable[Mapping[str, Any]]) -> Iterator[GoldNote]:
    """The gold mentions of notes that `nlp` reads; notes without any are left out, and so are those without traits told."""
    context = Context(nlp, load_table(rules_dir() / "context.tsv", ContextCue))
    for row in rows:
        hanging: dict[str, list[Mention]] = {}
        for span in row["spans"]:
            if span.get("parent"):
                hanging.setdefault(span["parent"], []).append(_mention(span))
        spans = sorted(row["spans"], key=lambda span: (span["start"], span["end"]))
        spans = [span for span in spans if possible_traits(span["type"]) and span.get("traits") is not None]
        if spans:
            doc = nlp(row["text"])
            attributes = [hanging.get(span["id"], ()) for span in spans]
            seen = surroundings(doc, context, [_mention(span) for span in spans], attributes)
            yield GoldNote(doc, seen, [frozenset(span["traits"]) for span in spans])


def _mention(span: Mapping[str, Any]) -> Mention:
    return Mention(span["start"], span["end"], span["type"])


_KEPT = {"places": np.int16, **dict.fromkeys(("words", "mentions", "firsts", "lasts", "dates"), np.float16)}
"""How the widest inputs are kept, since there are many."""


def prepare(rows: Iterable[Mapping[str, Any]], model: Path) -> Iterator[Prepared]:
    """What the network is given of gold notes, through the pipeline as it runs."""
    nlp, numbering = build(Config(model=str(model)), steps=READING), Numbering.of(str(model))
    for note in gold_notes(nlp, rows):
        wanted = np.array([[trait in traits for trait in TRAITS] for traits in note.traits], np.float32)
        yield from _groups(note.doc, note.seen, wanted, numbering)


def _groups(doc: Doc, seen: Sequence[Surroundings], wanted: np.ndarray, numbering: Numbering) -> Iterator[Prepared]:
    possible = np.array([POSSIBLE_MASKS[around.type] for around in seen], np.float32)
    at = 0
    for given in inputs(doc, findings(doc).read, seen, numbering):
        end = at + len(given["types"])
        kept = {name: values.astype(_KEPT.get(name, values.dtype)) for name, values in given.items()}
        yield Prepared(kept, wanted[at:end], possible[at:end])
        at = end


def prepare_silver(texts: Iterable[str], teacher: Path, model: Path) -> Iterator[Prepared]:
    """What the network is given of raw notes, and how likely the teacher holds each trait of the mentions that it finds."""
    taught, nlp = build(Config(model=str(teacher))), build(Config(model=str(model)), steps=READING)
    finder: TraitFinder = taught.get_pipe("medtext_traits")  # type: ignore[assignment]
    numbering = Numbering.of(str(model))
    for text in texts:
        doc = taught(text, disable=["medtext_traits"])  # its odds are asked for, not what it would decide
        _, seen = finder.seen(doc)
        if seen:
            wanted = likelihood(finder.network(doc, findings(doc).read, seen)).astype(np.float32)
            yield from _groups(nlp(text), seen, wanted, numbering)


def joined(groups: Sequence[Prepared]) -> tuple[list[Tensor], Tensor, Tensor]:
    """Groups as one: the words of one are nowhere to the mentions of another."""
    mentions = [len(group.wanted) for group in groups]
    lengths = [len(group.given["words"]) for group in groups]
    places = np.full((sum(mentions), sum(lengths)), NOWHERE)
    row = column = 0
    for group, high, wide in zip(groups, mentions, lengths, strict=True):
        places[row : row + high, column : column + wide] = group.given["places"]
        row, column = row + high, column + wide
    starts = np.repeat(np.cumsum([0, *lengths[:-1]]), mentions)
    given = {
        name: np.concatenate([group.given[name] for group in groups]) for name in groups[0].given if name != "places"
    }
    given = {
        name: values.astype(np.float32) if values.dtype == np.float16 else values for name, values in given.items()
    }
    given |= {"places": places, "begins": given["begins"] + starts, "ends": given["ends"] + starts}
    tensors = [torch.from_numpy(given[name]) for name in groups[0].given]
    wanted, possible = (np.concatenate([getattr(group, name) for group in groups]) for name in ("wanted", "possible"))
    return tensors, torch.from_numpy(wanted), torch.from_numpy(possible)


def train(
    groups: Sequence[Prepared], numbering: Numbering, settings: Settings, dev: Sequence[Prepared] = ()
) -> Network:
    """The network that judges the groups best. Prints a line an epoch."""
    torch.manual_seed(settings.seed)
    network = Network(groups[0].given["mentions"].shape[1], numbering, settings)
    how = Fitting(settings.epochs, settings.rate, settings.groups, settings.memory, settings.seed)
    return fit_network(network, groups, loss_of, how, dev)


def loss_of(network: nn.Module, groups: Sequence[Prepared]) -> Tensor:
    given, wanted, possible = joined(groups)
    errors = F.binary_cross_entropy_with_logits(network(*given), wanted, reduction="none")
    return (errors * possible).sum() / possible.sum()


def export(network: Network, group: Prepared, model: Path) -> None:
    """Writes the network as ONNX into the model's folder; `group` shows what it is given."""
    tensors, _, _ = joined([group])
    axes = {name: {0: "mentions"} for name in (*group.given, "log_odds")}
    axes |= {name: {0: "words"} for name in ("words", "numbers")}
    axes |= {"places": {0: "mentions", 1: "words"}}
    export_network(network, dict(zip(group.given, tensors, strict=True)), ("log_odds",), axes, model / "traits.onnx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a model's folder, to which the network is added")
    parser.add_argument("--gold", type=Path, nargs="+", required=True)
    for option in ("--dev", "--silver"):
        parser.add_argument(option, type=Path, nargs="*", default=[])
    parser.add_argument("--teacher", type=Path, help="the folder of the model that judges the notes of --silver")
    parser.add_argument("--epochs", type=int, default=Settings().epochs)
    options = parser.parse_args()
    if options.silver and not options.teacher:
        parser.error("--silver needs a --teacher")
    torch.set_num_threads(1)
    groups, dev = (list(prepare(read_rows(paths), options.model)) for paths in (options.gold, options.dev))
    if options.silver:
        notes = raw_notes(options.silver, [*options.gold, *options.dev])
        groups += prepare_silver([text for _, text in notes], options.teacher, options.model)
    network = train(groups, Numbering.of(str(options.model)), Settings(epochs=options.epochs), dev)
    export(network, groups[0], options.model)


if __name__ == "__main__":
    main()
