"""Learns the weights of `medtext.components.phi_review`, from notes that the entity model was not trained on.

    python -m medtext.training.phi_review --gold notes.jsonl … --out models/fast/phi_review.tsv

A logistic regression over all candidates. Of those on a span of gold, the one that hits it is right; where none does, those
that share most of it. The same notes and model give the same weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from medtext.components.phi_features import PLACE_OF, Candidate
from medtext.components.phi_review import Reviewer
from medtext.config import Config
from medtext.pipeline import READING, build
from medtext.training.corpus import read_rows
from medtext.training.regression import fit, options_of

SMALLEST = 0.03  # a weight nearer to nothing is left out
STRENGTH = 0.3  # see `regression.fit`

Span = tuple[int, int, str]
Judged = list[tuple[Candidate, list[str], bool]]
"""The candidates of a note, with their clues and whether they are right."""


def gold_candidates(rows: Iterable[Mapping[str, Any]], model: str) -> Iterator[Judged]:
    """Of each note, the candidates with their clues and whether they are right."""
    nlp = build(Config(model=model), steps=READING)
    reviewer = Reviewer.of_rules()
    for row in rows:
        seen = reviewer(nlp(row["text"]))
        gold = [(span["start"], span["end"], span["type"]) for span in row["spans"] if span["type"] in PLACE_OF]
        spans = {(one.begin, one.end, one.type) for one, _ in seen}
        yield [(one, clues, is_right(one, gold, spans)) for one, clues in seen]


def is_right(one: Candidate, gold: Sequence[Span], spans: set[Span]) -> bool:
    """Whether a candidate is a gold span, or shares most of one that none of `spans` hits."""
    for begin, end, kind in gold:
        common = min(end, one.end) - max(begin, one.begin)
        if kind != one.type or common <= 0:
            continue
        if (begin, end) == (one.begin, one.end):
            return True
        if (begin, end, kind) not in spans and common * 2 >= max(end, one.end) - min(begin, one.begin):
            return True
    return False


def learn(notes: Iterable[Judged]) -> dict[str, float]:
    """The weights of the clues."""
    seen = [(clues, right) for note in notes for _, clues, right in note]
    return dict(fit([clues for clues, _ in seen], [right for _, right in seen], STRENGTH, SMALLEST))


def main() -> None:
    options = options_of(__doc__)
    weights = learn(gold_candidates(read_rows(options.gold), str(options.out.parent)))
    options.out.write_text("".join(f"{clue}\t{weight}\n" for clue, weight in sorted(weights.items())), encoding="utf-8")


if __name__ == "__main__":
    main()
