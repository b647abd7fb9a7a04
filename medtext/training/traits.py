"""Learns the weights of `medtext.components.traits` from gold traits, and writes them as `traits.tsv`.

    python -m medtext.training.traits --gold train.jsonl other_styles.jsonl --dev dev.jsonl … --out models/fast/traits.tsv

One logistic regression a trait, over the mentions that can have it; the same notes give the same weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from medtext.components.context import Context, ContextCue
from medtext.components.traits import Surroundings, TraitFinder, Weights, possible_traits, surroundings, trait_features
from medtext.config import Config
from medtext.pipeline import build
from medtext.rulebook import load_table, rules_dir
from medtext.schema import TRAITS, Mention
from medtext.training.corpus import read_rows
from medtext.training.regression import fit, options_of

RAREST = 3  # a clue seen less often gets no weight
SMALLEST = 0.03  # a weight nearer to nothing is left out
STRENGTH = 0.5  # see `regression.fit`


def gold_mentions(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Surroundings, frozenset[str]]]:
    """The surroundings and the traits of every gold mention that can have traits."""
    nlp = build(Config(), steps=("sentences", "sections"))
    context = Context(nlp, load_table(rules_dir() / "context.tsv", ContextCue))
    for row in rows:
        spans = sorted(row["spans"], key=lambda span: (span["start"], span["end"]))
        spans = [span for span in spans if possible_traits(span["type"])]
        mentions = [Mention(span["start"], span["end"], span["type"]) for span in spans]
        seen = surroundings(nlp(row["text"]), context, mentions)
        yield from zip(seen, (frozenset(span.get("traits", ())) for span in spans), strict=True)


def learn(notes: Iterable[Mapping[str, Any]]) -> Weights:
    """The weights, by trait and clue, from the rows of gold files."""
    mentions = [(around.type, trait_features(around), traits) for around, traits in gold_mentions(notes)]
    counts = Counter(feature for _, features, _ in mentions for feature in features)
    weights: Weights = {}
    for trait in TRAITS:
        chosen = [(features, trait in traits) for kind, features, traits in mentions if trait in possible_traits(kind)]
        if len({right for _, right in chosen}) < 2:
            continue  # gold never has the trait, or always: nothing to learn
        rows = [[feature for feature in features if counts[feature] >= RAREST] for features, _ in chosen]
        for feature, weight in fit(rows, [right for _, right in chosen], STRENGTH, SMALLEST):
            weights.setdefault(feature, []).append((trait, weight))
    return weights


def scores(weights: Weights, path: Path) -> dict[str, tuple[int, int, int]]:
    """For each trait: right, found and wanted, on gold spans."""
    finder = TraitFinder(None, weights)  # type: ignore[arg-type]  # the cues are in the surroundings already
    counts = {trait: [0, 0, 0] for trait in TRAITS}
    seen, wanted_traits = zip(*gold_mentions(read_rows([path])), strict=True)
    for traits, wanted in zip(finder.traits(seen, None), wanted_traits, strict=True):
        found = {trait.name for trait in traits}
        for trait in TRAITS:
            for place, hit in enumerate((trait in found & wanted, trait in found, trait in wanted)):
                counts[trait][place] += hit
    return {trait: (right, found, wanted) for trait, (right, found, wanted) in counts.items()}


def write(weights: Weights, path: Path) -> None:
    """Writes a `traits.tsv`."""
    rows = sorted((trait, feature, weight) for feature, traits in weights.items() for trait, weight in traits)
    lines = "".join(f"{trait}\t{feature}\t{weight}\n" for trait, feature, weight in rows)
    path.write_text(lines, encoding="utf-8")


def main() -> None:
    options = options_of(__doc__)
    weights = learn(read_rows(options.gold))
    write(weights, options.out)
    for path in options.dev:
        counts = scores(weights, path)
        micro = [sum(column) for column in zip(*counts.values(), strict=True)]
        print(path.name, f"micro F1 {2 * micro[0] / (micro[1] + micro[2]):.3f}")
        for trait, (right, found, wanted) in counts.items():
            print(f"  {trait:20} F1 {2 * right / max(found + wanted, 1):.3f}  {wanted}")


if __name__ == "__main__":
    main()
