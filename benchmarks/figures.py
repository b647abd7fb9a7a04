"""Measures the figures of accuracy in `README.md` and the models' cards anew, and writes them into their tables.

    python benchmarks/figures.py CORPUS/gold [--models fast accurate]

A row is known by what stands in its first cells, so that tables may be moved and rows left out; of a row that is not there
nothing is said. Speed, reliability and the history of the models are told by hand.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from medtext.config import Config
from medtext.evaluate import evaluate_files
from medtext.schema import TERMINOLOGIES
from medtext.scores import ALL

ROOT = Path(__file__).resolve().parent.parent
PHI = frozenset({"PROTECTED_HEALTH_INFORMATION"})
REPORTS, STYLES = "dev.jsonl", "dev_other_styles.jsonl"
UNSEEN, IDENTIFIERS, QUERIES = (f"models/gold/{name}_unseen.jsonl" for name in ("styles", "phi", "queries"))
CODES = {name: TERMINOLOGIES[name] for name in ("icd10cm", "rxnorm")}
"""The terminologies that gold has codes of."""

Scores = Mapping[str, Any]


def measure(model: str, path: Path, *, phi: bool = False, given: bool = False) -> Scores:
    """The scores of a gold file as JSON."""
    config = Config(model=model, categories=PHI) if phi else Config(model=model)
    return evaluate_files(path, None, config, given_spans=given).to_json()


def rows_of(model: str, gold: Path) -> Iterator[tuple[str, str]]:
    """The beginning of each row of a model's tables, and the cells that follow it."""
    files = {REPORTS: gold / REPORTS, STYLES: gold / STYLES, UNSEEN: ROOT / UNSEEN}
    found = {name: measure(model, path) for name, path in files.items()}
    on_given = {name: measure(model, path, given=True) for name, path in files.items()}
    for name, scores in found.items():
        exact, given = scores["exact"][ALL], on_given[name]
        cells = [
            f"{exact['precision']:.3f} / {exact['recall']:.3f} / **{exact['f1']:.3f}**",
            f"{scores['overlap'][ALL]['f1']:.3f}",
            f"{given['traits'][ALL]['f1']:.3f}",
            f"{given['links'][ALL]['f1']:.3f}",
        ]
        yield rf"\| `{model}` \| [^|]*`{name}`\) \| (?=[^|]* / )", " | ".join(cells)
    for trait in on_given[REPORTS]["traits"]:
        cells = [
            f"{scores['traits'][trait]['f1']:.3f} ({scores['traits'][trait]['gold']})"
            for scores in (on_given[REPORTS], on_given[STYLES])
        ]
        yield rf"\| `{trait}` \| (?=\d\.\d+ \(\d+\) \| )", " | ".join(cells)
    for terminology, called in CODES.items():
        codes = on_given[UNSEEN]["codes"][terminology]
        cells = [str(codes["gold"]), *(f"{codes[key]:.3f}" for key in ("first", "category", "among"))]
        yield rf"\| {called} \| (?=\d+ \| )", " | ".join(cells)
    for name, path in {**files, IDENTIFIERS: ROOT / IDENTIFIERS, QUERIES: ROOT / QUERIES}.items():
        scores = measure(model, path, phi=True)["identifiers"]
        every, names = scores[ALL], scores["NAME"]
        cells = [str(every["gold"]), *(f"{every[key]:.3f}" for key in ("touched", "covered", "precision"))]
        cells.append(f"{names['touched']:.3f} of {names['gold']}")
        yield rf"\| `{model}` \| [^|]*`{name}`\) \| (?=\d+ \| )", " | ".join(cells)
        if name == IDENTIFIERS:
            for kind, of_kind in scores.items():
                cells = [f"{of_kind[key]:.3f}" for key in ("touched", "covered", "precision", "subtype")]
                yield rf"\| `{kind}` \| {of_kind['gold']} \| (?=\d\.\d+ \| )", " | ".join(cells)
    for kind in found[REPORTS]["exact"].keys() | found[STYLES]["exact"].keys():
        cells = [_both(found[name], kind) for name in (REPORTS, STYLES)]
        yield rf"\| `{kind}` \| \d+, \d+ \| ", " | ".join(cells)


def _both(scores: Scores, kind: str) -> str:
    """Exact and overlapping F1 of a type; empty where gold has none of it."""
    exact = scores["exact"].get(kind)
    return f"{exact['f1']:.3f} / {scores['overlap'][kind]['f1']:.3f}" if exact and exact["gold"] else ""


def written(text: str, rows: Mapping[str, str]) -> str:
    """The text with the rows' cells in place of those that stand there, which are as many."""
    for begin, cells in rows.items():
        old = r"[^|\n]*\|" * (cells.count("|") + 1)
        text = re.sub(rf"(?m)^({begin}){old}", lambda match, cells=cells: f"{match[1]}{cells} |", text)
    return text


def by_type(models: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The rows by type of all models beside each other, as `README.md` has them."""
    kinds = [begin for begin in next(iter(models.values())) if begin.endswith(r"\d+, \d+ \| ")]
    return {begin: " | ".join(rows[begin] for rows in models.values()) for begin in kinds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", type=Path, help=f"the folder of {REPORTS} and {STYLES}")
    parser.add_argument("--models", nargs="+", default=["fast", "accurate"])
    options = parser.parse_args()
    models = {model: dict(rows_of(model, options.gold)) for model in options.models}
    for model, rows in models.items():
        _rewrite(ROOT / "models" / model / "README.md", rows)
    named = {begin: cells for rows in models.values() for begin, cells in rows.items()}
    common = (*(f"`{model}`" for model in models), *CODES.values())
    shared = {begin: cells for begin, cells in named.items() if any(word in begin for word in common)}
    _rewrite(ROOT / "README.md", shared | (by_type(models) if len(models) > 1 else {}))


def _rewrite(path: Path, rows: Mapping[str, str]) -> None:
    path.write_text(written(path.read_text(encoding="utf-8"), rows), encoding="utf-8")


if __name__ == "__main__":
    main()
