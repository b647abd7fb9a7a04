"""Where a model errs, and whether its scores mean what they say: the tables and the plot of a model's card.

    python -m medtext.training.analysis --model fast --gold dev.jsonl dev_other_styles.jsonl [--plot reliability.svg]

Prints a table of what is found instead of what gold has (by type), and the reliability of scores: of the spans with a
score about 0.9, how many are right, with the expected calibration error (Guo et al. 2017). The calibration is fitted on
some of the notes and judged on the others, in turn, so that it is not judged on what it has seen.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medtext.components.ner import EntityRecognizer, Tagger
from medtext.config import Config, find_model
from medtext.evaluate import read_gold
from medtext.findings import findings
from medtext.pipeline import CLUES, build
from medtext.schema import Mention
from medtext.training.export import curve_of

FOLDS = 5
TENTHS = 10  # bins of the reliability table
SHOWN = 20  # rows of the table of errors
NOTHING = "(nothing)"

Span = tuple[int, int, str]


@dataclass
class Judged:
    """A note's spans: gold's, and those found with the model's own probability."""

    gold: set[Span]
    found: dict[Span, float]


def judged_notes(model: str, paths: Iterable[Path]) -> list[Judged]:
    """What the model alone finds in gold notes, before the finders and the resolver have their say."""
    nlp, tagger = build(Config(model=model), steps=CLUES), Tagger(find_model(model))
    tagger.set_calibration([0.0, 1.0], [0.0, 1.0])
    recognizer = EntityRecognizer(tagger)
    notes = []
    for row in (row for path in paths for row in read_gold(path)):
        doc = nlp(row["text"])
        findings(doc).candidates.clear()
        mentions: list[Mention] = findings(recognizer(doc)).candidates
        found = {(one.begin, one.end, one.type): one.score for one in mentions}
        notes.append(Judged({(span["start"], span["end"], span["type"]) for span in row["spans"]}, found))
    return notes


def confusions(notes: Iterable[Judged]) -> Counter[tuple[str, str, str]]:
    """How often gold's type is found as another, with other boundaries, or not at all: `(gold, found, how)`."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for note in notes:
        wrong = note.found.keys() - note.gold
        touched: set[Span] = set()
        for span in sorted(note.gold - note.found.keys()):
            others = [other for other in wrong if other[0] < span[1] and span[0] < other[1]]
            touched.update(others)
            other = max(others, key=lambda other: (other[2] == span[2], other), default=None)
            if other is None:
                counts[span[2], NOTHING, "missed"] += 1
            elif other[2] == span[2]:
                counts[span[2], span[2], "boundary"] += 1
            else:
                counts[span[2], other[2], "type" if other[:2] == span[:2] else "type and boundary"] += 1
        for other in wrong - touched:
            counts[NOTHING, other[2], "invented"] += 1
    return counts


def cross_fitted(notes: Sequence[Judged]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Calibrated scores of all spans found, by curves that have not seen their notes, and whether each is right."""
    pairs = [[(score, span in note.gold) for span, score in note.found.items()] for note in notes]
    scores, right = [], []
    for fold in range(FOLDS):
        seen = np.array([pair for place, note in enumerate(pairs) if place % FOLDS != fold for pair in note])
        held_out = np.array([pair for note in pairs[fold::FOLDS] for pair in note])
        points, values = curve_of(seen[:, 0], seen[:, 1])
        scores.append(np.interp(held_out[:, 0], points, values))
        right.append(held_out[:, 1])
    return np.concatenate(scores), np.concatenate(right)


def reliability(scores: NDArray[np.float64], right: NDArray[np.float64]) -> Iterator[tuple[float, float, int]]:
    """For each tenth with spans in it: the mean score, the share that is right, the number of spans."""
    bins = np.minimum((scores * TENTHS).astype(int), TENTHS - 1)
    for number in range(TENTHS):
        inside = bins == number
        if inside.any():
            yield float(scores[inside].mean()), float(right[inside].mean()), int(inside.sum())


def calibration_error(rows: Sequence[tuple[float, float, int]]) -> float:
    """The expected calibration error: how far scores are from shares, a span at a time."""
    return sum(abs(score - share) * count for score, share, count in rows) / sum(count for _, _, count in rows)


def plot(rows: Sequence[tuple[float, float, int]], path: Path) -> None:
    """Draws the reliability of scores."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "medtext"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(4, 4))
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    scores, shares, counts = zip(*rows, strict=True)
    axes.plot(scores, shares, marker="o")
    for score, share, count in zip(scores, shares, counts, strict=True):
        axes.annotate(str(count), (score, share), textcoords="offset points", xytext=(6, -10), fontsize=7)
    axes.set(xlabel="score", ylabel="share of spans that are right", xlim=(0, 1), ylim=(0, 1))
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="fast")
    parser.add_argument("--gold", type=Path, nargs="+", required=True)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    notes = judged_notes(options.model, options.gold)
    print("| gold | found | how | times |\n| --- | --- | --- | --- |")
    for (gold, found, how), count in confusions(notes).most_common(SHOWN):
        print(f"| {gold} | {found} | {how} | {count} |")
    rows = list(reliability(*cross_fitted(notes)))
    print("\n| score | right | spans |\n| --- | --- | --- |")
    for score, share, count in rows:
        print(f"| {score:.2f} | {share:.2f} | {count} |")
    print(f"\nexpected calibration error {calibration_error(rows):.3f}")
    if options.plot:
        plot(rows, options.plot)


if __name__ == "__main__":
    main()
