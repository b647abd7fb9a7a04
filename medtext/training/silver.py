"""Silver notes: raw notes labelled by models, for others to learn from (Hinton et al. 2015).

    python -m medtext.training.silver label --model models/fast --notes notes.jsonl.gz … --leave-out train.jsonl … --out a.npz
    python -m medtext.training.silver mean --silver a.npz b.npz … --out silver.npz

`label` writes a model's probabilities of tags, `mean` averages those of several models over the same notes: they
err in different places, so that their mean is a better teacher than each. `corpus.read_silver` reads the files.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from medtext.components.ner import Tagger
from medtext.config import Config, find_model
from medtext.pipeline import CLUES, build
from medtext.training.corpus import read_rows


def label(model: str, notes: Sequence[tuple[str, str]], out: Path) -> None:
    """Writes the probabilities by `model`, a name or a folder, of notes given as ids and texts."""
    nlp, tagger = build(Config(model=model), steps=CLUES), Tagger(find_model(model))
    found = [tagger(nlp(text)) for _, text in notes]
    np.savez(
        out,
        ids=np.array([name for name, _ in notes]),
        texts=np.array([text for _, text in notes]),
        ends=np.cumsum([0, *(len(tags) for tags, _ in found)]),
        tags=np.concatenate([np.exp(tags).astype(np.float16) for tags, _ in found]),
    )


def mean(paths: Sequence[Path], out: Path) -> None:
    """Writes the mean of several models' probabilities. Raises `ValueError` where they are not of the same notes."""
    with np.load(paths[0]) as first:
        kept = {key: first[key] for key in ("ids", "texts", "ends")}
        total = first["tags"].astype(np.float32)
    for path in paths[1:]:
        with np.load(path) as other:
            if not all(np.array_equal(kept[key], other[key]) for key in ("ids", "ends")):
                raise ValueError(f"{path} labels other notes than {paths[0]}")
            total += other["tags"]
    np.savez(out, **kept, tags=(total / len(paths)).astype(np.float16))


def raw_notes(paths: Iterable[Path], leave_out: Iterable[Path] = ()) -> list[tuple[str, str]]:
    """`(id, text)` of the notes of JSON Lines files, without those that were annotated in full in other files."""
    held = {row["id"] for row in read_rows(leave_out) if "parts" not in row}
    notes = [
        (str(row.get("id", number)), row["text"]) for path in paths for number, row in enumerate(read_rows([path]))
    ]
    return [(name, text) for name, text in notes if name not in held]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("label", "mean"))
    parser.add_argument("--model")
    for option in ("--notes", "--leave-out", "--silver"):
        parser.add_argument(option, type=Path, nargs="*", default=[])
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.task == "label":
        label(options.model, raw_notes(options.notes, options.leave_out), options.out)
    else:
        mean(options.silver, options.out)


if __name__ == "__main__":
    main()
