"""Learns the weights of `medtext.components.subtype_judge` from gold identifiers with subtypes.

    python -m medtext.training.phi_subtypes --gold models/gold/phi.jsonl --out models/fast/phi_subtypes.tsv

A logistic regression a subtype, over all identifiers of its type. The same notes give the same weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from medtext.components.phi_subtypes import SubtypeRule, Subtypes
from medtext.components.subtype_judge import JUDGED, subtype_clues
from medtext.config import Config
from medtext.findings import findings
from medtext.pipeline import CLUES, build
from medtext.rulebook import load_table, rules_dir
from medtext.schema import PHI_SUBTYPES, Mention
from medtext.training.corpus import read_rows
from medtext.training.regression import fit, options_of

SMALLEST = 0.05  # a weight nearer to nothing is left out
STRENGTH = 1.0  # see `regression.fit`


def gold_identifiers(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, list[str]]]:
    """Type, subtype and clues of the gold identifiers of the types that are judged."""
    nlp = build(Config(), steps=CLUES)
    rules = Subtypes(load_table(rules_dir() / "phi_subtypes.tsv", SubtypeRule))
    for row in rows:
        spans = [span for span in row["spans"] if span["type"] in JUDGED]
        spans = sorted((span for span in spans if span.get("subtype")), key=lambda span: span["start"])
        doc = nlp(row["text"])
        ruled = {(one.begin, one.end, one.type): one.subtype for one in findings(doc).candidates if one.subtype}
        places = [(span["start"], span["end"], span["type"]) for span in spans]
        mentions = [Mention(*place, subtype=ruled.get(place, "")) for place in places]
        told = [mention.subtype for mention in rules.told(doc, mentions)]
        for span, clues in zip(spans, subtype_clues(doc, mentions, told), strict=True):
            yield span["type"], span["subtype"], clues


def learn(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str, float]]:
    """Type, subtype, clue and weight."""
    seen = list(gold_identifiers(rows))
    for kind in JUDGED:
        of_kind = [(subtype, clues) for one, subtype, clues in seen if one == kind]
        clues = [clues for _, clues in of_kind]
        for subtype in PHI_SUBTYPES[kind]:
            right = [one == subtype for one, _ in of_kind]
            if any(right):
                yield from ((kind, subtype, clue, weight) for clue, weight in fit(clues, right, STRENGTH, SMALLEST))


def main() -> None:
    options = options_of(__doc__)
    rows = sorted(learn(read_rows(options.gold)))
    options.out.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
