"""Logistic regressions as a model's folder keeps them: a line of names and a weight, tab-separated."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp
from pathlib import Path

from medtext.errors import ModelError

LARGEST = 30.0  # of the exponent, either way


def logistic(value: float) -> float:
    """The probability of these log odds."""
    return 1 / (1 + exp(-max(min(value, LARGEST), -LARGEST)))


def weight_lines(path: Path, names: int) -> Iterator[tuple[list[str], float]]:
    """The lines of a file of weights: `names` names, and the weight.

    Raises:
        ModelError: where there is no such file, or a line is not what it should be.
    """
    try:
        for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n"):
            *named, weight = line.split("\t")
            if len(named) != names:
                raise ValueError
            yield named, float(weight)
    except (OSError, ValueError):
        raise ModelError(
            f"{path} holds no weights of {path.stem}; train them with `medtext.training.{path.stem}`."
        ) from None


def read_weights(path: Path) -> dict[str, float]:
    """The weights of a file that has one name a line. Raises `ModelError` where there is none, or one that cannot be read."""
    return {name: weight for (name,), weight in weight_lines(path, names=1)}
