"""What a pipeline is built from and what is kept of its results: one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from medtext.errors import UsageError
from medtext.policy import Policy
from medtext.schema import CATEGORIES, CODED

USUAL = 0.2
"""How likely protected health information must be."""
CAREFUL = 0.1
"""And where notes are redacted: what is missed there is leaked."""


@dataclass(frozen=True, slots=True)
class Config:
    """How to read notes.

    Args:
        model: the name of a shipped model ("fast" or "accurate"), or the folder of one.
        rules: a folder to use instead of the shipped `rules/`.
        categories: keep entities of these categories only; empty keeps all.
        min_score: drop entities and attributes below this score, between 0 and 1.
        date_values: write dates as ISO 8601 beside their offsets. Off, since a date is an identifier of the patient and the
            record would hold it.
        concepts: the terminologies whose codes are given, of icd10cm, rxnorm and snomedct; none saves up to a sixth of the time.
        policy: which protected health information counts, as `load_policy` gives it; None for all. The rest is left out.
        phi_threshold: how likely protected health information must be, above 0 and at most 1. Lower misses less and flags
            more. None takes 0.2, and 0.1 where notes are redacted. It belongs to what is loaded: a pipeline keeps its own.

    Raises:
        UsageError: for a category or a terminology that there is not, or a score or threshold that is none.
    """

    model: str = "fast"
    rules: Path | None = None
    categories: tuple[str, ...] = ()
    min_score: float = 0.0
    date_values: bool = False
    concepts: tuple[str, ...] = tuple(CODED)
    policy: Policy | None = None
    phi_threshold: float | None = None

    def __post_init__(self) -> None:
        if unknown := [name for name in self.categories if name not in CATEGORIES]:
            raise UsageError(f"There is no category {unknown[0]!r}; there are {', '.join(CATEGORIES)}.")
        if unknown := [name for name in self.concepts if name not in CODED]:
            raise UsageError(f"There is no terminology {unknown[0]!r}; there are {', '.join(CODED)}.")
        if not 0 <= self.min_score <= 1:
            raise UsageError(f"A minimum score lies between 0 and 1, not at {self.min_score}.")
        if self.phi_threshold is not None and not 0 < self.phi_threshold <= 1:
            raise UsageError(f"A threshold for PHI is above 0 and at most 1, not {self.phi_threshold}.")

    def to_load(self, usual: float = USUAL) -> Config:
        """What of it there is to load: Configs with the same can share a pipeline. `usual` is the threshold of one without."""
        threshold = usual if self.phi_threshold is None else self.phi_threshold
        return Config(self.model, self.rules, concepts=tuple(CODED) if self.coded else (), phi_threshold=threshold)

    @property
    def coded(self) -> bool:
        """Whether any entity that is kept gets a code."""
        return any(not self.categories or set(CODED[name]) & set(self.categories) for name in self.concepts)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Config:
        """A Config from named values; an unknown name is a `UsageError`."""
        known = [field.name for field in fields(cls)]
        if unknown := [name for name in values if name not in known]:
            raise UsageError(f"There is no setting {unknown[0]!r}; there are {', '.join(known)}.")
        return cls(**values)


def find_model(name: str) -> Path:
    """The folder of a shipped model ("fast", "accurate"), or the path that `name` is."""
    here = Path(__file__).parent
    for models in (here / "models", here.parent / "models"):
        if name and (models / name / "meta.json").is_file():
            return models / name
    return Path(name)
