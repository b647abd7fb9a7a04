"""Learns the weights of `medtext.components.traits` from gold traits, and writes them as `traits.tsv`.

    python -m medtext.training.traits --gold train.jsonl other_styles.jsonl --out models/fast/traits.tsv

One logistic regression a trait, over the mentions that can have it; the same notes give the same weights. `medtext evaluate
--given-spans` scores them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.context import Context, ContextCue
from medtext.components.surroundings import Surroundings, surroundings
from medtext.components.traits import Weights, possible_traits, trait_clues
from medtext.config import Config
from medtext.findings import lower_words
from medtext.pipeline import build
from medtext.rulebook import load_table, load_words, rules_dir
from medtext.schema import TRAITS, Mention
from medtext.training.corpus import read_rows
from medtext.training.regression import fit, options_of

SMALLEST = 0.15  # a weight nearer to nothing is left out
STRENGTH = 0.5  # see `regression.fit`


@dataclass(frozen=True)
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


def learn(rows: Iterable[Mapping[str, Any]]) -> Weights:
    """The weights, by trait and clue, from the rows of gold files."""
    placing = load_words(rules_dir() / "placing_words.txt")
    nlp = build(Config(), steps=("sentences", "sections"))
    mentions = []
    for note in gold_notes(nlp, rows):
        lower = lower_words(note.doc)
        for around, traits in zip(note.seen, note.traits, strict=True):
            clues = [f"{kind}={value}" for kind, values in trait_clues(around, lower, placing) for value in values]
            mentions.append((around.type, ["bias", *clues], traits))
    weights: Weights = {}
    for trait in TRAITS:
        chosen = [(features, trait in traits) for kind, features, traits in mentions if trait in possible_traits(kind)]
        if len({right for _, right in chosen}) < 2:
            continue  # gold never has the trait, or always: nothing to learn
        for feature, weight in fit(
            [features for features, _ in chosen], [right for _, right in chosen], STRENGTH, SMALLEST
        ):
            weights.setdefault(feature, []).append((trait, weight))
    return weights


def write(weights: Weights, path: Path) -> None:
    """Writes a `traits.tsv`."""
    rows = sorted((trait, feature, weight) for feature, traits in weights.items() for trait, weight in traits)
    lines = "".join(f"{trait}\t{feature}\t{weight}\n" for trait, feature, weight in rows)
    path.write_text(lines, encoding="utf-8")


def main() -> None:
    options = options_of(__doc__)
    write(learn(read_rows(options.gold)), options.out)


if __name__ == "__main__":
    main()
