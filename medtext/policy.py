"""Which identifiers count: a policy is a file of `rules/policies/` or of the user's.

    [[policy]]
    id = "my-study"
    description = "What it is for."
    counts = ["NAME", "ADDRESS STREET", "ID SSN"]

A type alone counts with all its subtypes. An entity without a subtype, and an address that is hardly one, count wherever their
type has a subtype that does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from medtext.errors import RuleError, UsageError
from medtext.rulebook import load_toml, rules_dir
from medtext.schema import PHI_SUBTYPES

PHI = "PROTECTED_HEALTH_INFORMATION"
SURE_PLACE = 0.7
"""How likely an address must be that its subtype keeps: below, it is as often a person or an institution."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Which types and subtypes of protected health information count. Raises `ValueError` for a name that there is not."""

    id: str
    description: str
    counts: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.counts, tuple) or not self.counts:
            raise ValueError("'counts' is a list of what counts, and names something")
        for name in self.counts:
            kind, _, subtype = str(name).partition(" ")
            if kind not in PHI_SUBTYPES:
                raise ValueError(f"there is no type {kind!r}; there are {', '.join(PHI_SUBTYPES)}")
            if subtype and subtype not in PHI_SUBTYPES[kind]:
                raise ValueError(f"{kind} has no subtype {subtype!r}; it has {', '.join(PHI_SUBTYPES[kind])}")

    def includes(self, kind: str, subtype: str = "", score: float = 1.0) -> bool:
        """Whether an identifier of this type, subtype and likelihood counts: an unlikely state may be who was seen."""
        if kind in self.counts or (subtype and f"{kind} {subtype}" in self.counts):
            return True
        told = subtype and (kind != "ADDRESS" or score >= SURE_PLACE)
        return not told and any(name.startswith(f"{kind} ") for name in self.counts)


def load_policy(name: str | Path, rules: Path | None = None) -> Policy:
    """The policy of this name ("safe-harbor", "limited-data-set", "expert"), or that of a `.toml` file.

    Raises:
        UsageError: where there is none of this name.
        RuleError: where the file is wrong.
    """
    folder = rules_dir(str(rules or "")) / "policies"
    path = Path(name) if str(name).endswith(".toml") else folder / f"{name}.toml"
    if not path.is_file():
        shipped = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise UsageError(f"There is no policy {str(name)!r}; there are {shipped}, or name a .toml file.")
    policies = load_toml(path, "policy", Policy)
    if len(policies) != 1:
        raise RuleError(f"{path.name} needs one [[policy]], and has {len(policies)}.")
    return policies[0]
