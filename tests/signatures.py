"""Reads `tests/cases/signatures.tsv`: prescriptions as people write them, and what is to be read in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from medtext.rulebook import load_table
from medtext.schema import Sig
from tests.cases import FOLDER, Case, parse

Fields = Mapping[str, object]


@dataclass(frozen=True)
class Signature:
    """A row of the table, whose head says how it is written."""

    set: str
    text: str
    dose: str = ""
    unit: str = ""
    per_day: str = ""
    route: str = ""
    as_needed: str = ""
    days: str = ""

    def case(self) -> Case:
        """The text without its marks, and the marks."""
        return parse(self.text, "signatures")

    def expected(self) -> Fields:
        """Every field that must be there, by its name in the JSON; the reason as its words."""
        fields: dict[str, object] = {**ends("Dose", self.dose), **ends("PerDay", self.per_day)}
        fields |= {"DoseUnit": self.unit} if self.unit else {}
        fields |= {"Route": self.route} if self.route else {}
        fields |= {"AsNeeded": True} if self.as_needed else {}
        fields |= {"AsNeededFor": self.as_needed} if self.as_needed not in ("", "yes") else {}
        fields |= {"DurationDays": float(self.days)} if self.days else {}
        return fields


def ends(name: str, cell: str) -> dict[str, object]:
    """ "1-2" as low and high, "-3" as a high alone, "4" as both."""
    if not cell:
        return {}
    low, _, high = cell.partition("-")
    fields: dict[str, object] = {f"{name}Low": float(low)} if low else {}
    return fields | {f"{name}High": float(high or low)}


def fields_of(sig: Sig | None, text: str) -> Fields:
    """What was read, by its name in the JSON; the reason as its words."""
    if sig is None:
        return {}
    fields = {name: value for name, value in sig.to_json().items() if not name.endswith("Offset")}
    if sig.as_needed_for:
        begin, end = sig.as_needed_for
        fields["AsNeededFor"] = text[begin:end]
    return fields


def agreement(expected: Fields, read: Fields) -> tuple[int, int]:
    """How many fields are right, of all that are expected or were read; one that must be absent and is does not count."""
    names = expected.keys() | read.keys()
    return sum(name in read and expected.get(name) == read[name] for name in names), len(names)


def signatures(name: str = "") -> list[Signature]:
    """The table's rows, of the set `name` or all."""
    rows = load_table(FOLDER / "signatures.tsv", Signature)
    return [row for row in rows if name in ("", row.set)]
