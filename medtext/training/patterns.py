"""Measures how often each pattern of `rules/patterns.toml` is right: the scores that stand there.

    python -m medtext.training.patterns GOLD.jsonl …

Prints, by pattern: finds, the share of them that is a gold span exactly, and the share that overlaps one of its type.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from medtext.config import Config
from medtext.findings import findings
from medtext.pipeline import build


def precision(paths: Iterable[Path]) -> dict[str, tuple[int, float, float]]:
    """Finds, exact precision and overlapping precision, by source."""
    nlp = build(Config(), steps=("patterns",))
    finds: Counter[str] = Counter()
    exact: Counter[str] = Counter()
    overlapping: Counter[str] = Counter()
    for path in paths:
        for line in path.read_text(encoding="utf-8").split("\n"):
            row: dict[str, Any] = json.loads(line) if line else {"text": "", "spans": []}
            gold = [(span["start"], span["end"], span["type"]) for span in row["spans"]]
            for one in findings(nlp(row["text"])).candidates:
                finds[one.source] += 1
                exact[one.source] += (one.begin, one.end, one.type) in gold
                overlapping[one.source] += any(
                    begin < one.end and one.begin < end for begin, end, kind in gold if kind == one.type
                )
    return {source: (n, exact[source] / n, overlapping[source] / n) for source, n in sorted(finds.items())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", type=Path, nargs="+")
    for source, (count, exact, overlap) in precision(parser.parse_args().gold).items():
        print(f"{source:28} {count:6} {exact:6.2f} {overlap:6.2f}")


if __name__ == "__main__":
    main()
