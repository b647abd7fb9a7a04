"""Learns the weights of `medtext.components.attributes` from gold links, and writes them as `links.tsv`.

    python -m medtext.training.links --gold train.jsonl other_styles.jsonl --dev dev.jsonl … --out models/fast/links.tsv

A logistic regression over pairs of an attribute and a possible owner. The threshold of each type of attribute is the
one that links best in cross-validation over the gold notes. The same files and seed give the same weights.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medtext.components.attributes import ENOUGH, AttributeLinker, attributes_in_order
from medtext.config import Config
from medtext.link_features import (
    SITE,
    Layout,
    attribute_features,
    pair_features,
    shape_features,
    site_features,
)
from medtext.pipeline import build
from medtext.schema import Mention
from medtext.training.corpus import read_rows
from medtext.training.regression import fit, options_of

SMALLEST = 0.05  # a weight nearer to nothing is left out
STRENGTH = 1.0  # see `regression.fit`
FOLDS = 3
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45)
FEWEST = 150  # links of a type that gets a threshold of its own

Weights = dict[str, float]


@dataclass(frozen=True)
class GoldNote:
    """A note's mentions, its links by place, and the offsets of its sentences."""

    text: str
    mentions: list[Mention]
    links: dict[int, int]
    starts: list[int]


def gold_notes(rows: Iterable[Mapping[str, Any]]) -> Iterator[GoldNote]:
    """What the rows of gold files say of links."""
    nlp = build(Config(), steps=("sentences",))
    for row in rows:
        spans = sorted(row["spans"], key=lambda span: (span["start"], span["end"], span["type"]))
        place_of = {span["id"]: place for place, span in enumerate(spans)}
        mentions = [Mention(span["start"], span["end"], span["type"]) for span in spans]
        links = {place: place_of[span["parent"]] for place, span in enumerate(spans) if span.get("parent") is not None}
        yield GoldNote(row["text"], mentions, links, [sent.start_char for sent in nlp(row["text"]).sents])


def examples(note: GoldNote) -> Iterator[tuple[list[str], bool]]:
    """The features of every pair, and whether it is a link."""
    layout = Layout(note.text, note.mentions, note.starts)
    owners = {place: owner for place, owner in note.links.items() if note.mentions[place].type == SITE}
    for place in attributes_in_order(note.mentions):
        own = attribute_features(layout, place)
        for pair in layout.pairs(place):
            words = [f"{slot}={word}" for slot, word in own + pair_features(layout, place, pair)]
            sites = site_features(pair.shape.kind, place, pair.owner, owners)
            yield [*words, *shape_features(pair.shape), *sites], note.links.get(place) == pair.owner


def learn(notes: Iterable[GoldNote]) -> Weights:
    """The weights, by feature."""
    rows, right = zip(*(pair for note in notes for pair in examples(note)), strict=True)
    return dict(fit(rows, right, STRENGTH, SMALLEST))


def thresholds(notes: Sequence[GoldNote]) -> Weights:
    """For each type with links enough, the threshold that links best notes which the weights have not seen."""
    order = list(range(len(notes)))
    random.Random(0).shuffle(order)
    found: dict[str, dict[float, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for fold in range(FOLDS):
        held_out = [notes[place] for place in sorted(order[fold::FOLDS])]
        weights = learn(notes[place] for place in sorted(set(order) - set(order[fold::FOLDS])))
        for threshold in THRESHOLDS:
            kinds = {ENOUGH + mention.type: threshold for note in held_out for mention in note.mentions}
            for kind, count in counted(weights | kinds, held_out).items():
                found[kind][threshold].update(count)
    return {
        ENOUGH + kind: max(THRESHOLDS, key=lambda one: (f1(by_threshold[one])[2], -one))
        for kind, by_threshold in sorted(found.items())
        if by_threshold[THRESHOLDS[0]]["wanted"] >= FEWEST
    }


def counted(weights: Weights, notes: Iterable[GoldNote]) -> dict[str, Counter[str]]:
    """Right, found and wanted links between gold spans, by type of attribute."""
    linker = AttributeLinker(weights)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for note in notes:
        predicted = {place: link.parent for place, link in linker.links(note.text, note.mentions, note.starts)}
        for place in note.links.keys() | predicted.keys():
            want, have = note.links.get(place), predicted.get(place)
            counts[note.mentions[place].type].update(
                right=int(want == have), found=int(have is not None), wanted=int(want is not None)
            )
    return counts


def f1(count: Counter[str]) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    right, found, wanted = count["right"], count["found"], count["wanted"]
    return right / max(found, 1), right / max(wanted, 1), 2 * right / max(found + wanted, 1)


def write(weights: Weights, path: Path) -> None:
    """Writes a `links.tsv`."""
    lines = "".join(f"{feature}\t{weight}\n" for feature, weight in sorted(weights.items()))
    path.write_text(lines, encoding="utf-8")


def main() -> None:
    options = options_of(__doc__)
    notes = list(gold_notes(read_rows(options.gold)))
    weights = learn(notes) | thresholds(notes)
    write(weights, options.out)
    for path in options.dev:
        by_kind = counted(weights, gold_notes(read_rows([path])))
        print(path.name, "P {:.3f} R {:.3f} F1 {:.3f}".format(*f1(sum(by_kind.values(), Counter()))))
        for kind in sorted(by_kind):
            print(f"  {kind:18}", "P {:.3f} R {:.3f} F1 {:.3f}".format(*f1(by_kind[kind])), by_kind[kind]["wanted"])


if __name__ == "__main__":
    main()
