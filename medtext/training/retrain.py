"""`medtext train`: a model of the user's own, from the shipped one and gold notes of theirs, or from gold notes alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medtext.components.trait_network import Numbering
from medtext.config import find_model
from medtext.errors import UsageError
from medtext.evaluate import read_gold
from medtext.training import corpus, links, traits
from medtext.training.export import calibrate, export, restore
from medtext.training.student import Settings, f1, train

HELD_OUT = 5  # without notes to test on, every fifth note is held out
REVIEW = "phi_review.tsv"
FEWEST = 5  # notes with which training makes any sense
TUNING = Settings(epochs=20, rate=5e-4, style_copies=1, memory=0.99)
"""To train on from a model: gently, so that it keeps what it knows."""


def retrain(
    gold: Sequence[Path],
    out: Path,
    *,
    dev: Path | None = None,
    start: str | None = "fast",
    epochs: int | None = None,
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> None:
    """Trains a model on gold notes and writes its folder, which `--model` and `Config(model=…)` take.

    Args:
        gold: JSON Lines of gold notes, as for `medtext evaluate`.
        out: the new model's folder; it must not exist.
        dev: gold notes to test on and to calibrate scores with; without them, every fifth note of `gold` is kept for it.
        start: the model to train on from; None starts from nothing and learns links and traits anew as well.
        epochs: how often every note is seen.
        seed: of the chances taken in training; the same seed on one machine gives the same model.
        say: takes lines on how it goes; none holds text.

    Raises:
        UsageError: for gold that is none, too few notes, a folder that exists, and from nothing for gold without links.
        ModelError: for a `start` that cannot be trained on from.
    """
    if out.exists():
        raise UsageError(f"{out} exists; name another folder.")
    rows = [row for path in gold for row in read_gold(path)]
    held_out = list(read_gold(dev)) if dev else rows[::HELD_OUT]
    if not dev:
        rows = [row for place, row in enumerate(rows) if place % HELD_OUT]
    if len(rows) < FEWEST:
        raise UsageError(f"There are {len(rows)} notes to train on; annotate at least {FEWEST}.")
    if not start and not any(span.get("parent") is not None for row in rows for span in row["spans"]):
        raise UsageError(
            "No span of the gold notes has a parent, and links are learned from those; train on from a model."
        )
    from_model = restore(find_model(start)) if start else None
    settings = Settings(seed=seed)
    if from_model:
        own = from_model[0].settings
        settings = replace(TUNING, seed=seed, width=own.width, dilations=own.dilations, buckets=own.buckets)
    settings = replace(settings, epochs=epochs or settings.epochs)
    notes, tests = corpus.examples(rows), corpus.examples(held_out)
    say(f"{len(notes)} notes to train on, {len(tests)} to test on")
    model, prepare, names = train(notes, [], [], [], {"test": tests}, settings, from_model, say)
    export(model, {"name": out.name, "version": "1", **names}, out)
    calibrate(out, prepare, tests)
    _add_links_and_traits(rows, find_model(start) if start else None, out)
    say(f"exact F1 on the test notes {f1(model, map(prepare, tests)):.3f}; medtext evaluate --model {out} tells more")


def _add_links_and_traits(rows: Sequence[dict[str, Any]], start: Path | None, out: Path) -> None:
    """Those of the model that was trained on from, or new ones.

    How identifiers are reviewed is learned from notes that the model has not seen, which is more than a user has: that is
    always taken from a model that there is.
    """
    shutil.copy((start or find_model("fast")) / REVIEW, out / REVIEW)
    if start:
        for name in ("links.onnx", "traits.onnx"):
            shutil.copy(start / name, out / name)
        return
    notes = list(links.prepare(rows, out))
    links.export(links.train(notes, links.FITTING), notes[0], out)
    judged = list(traits.prepare(rows, out))
    traits.export(traits.train(judged, Numbering.of(str(out)), traits.Settings()), judged[0], out)
