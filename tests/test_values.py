"""What results, durations and dates say: the tables of `tests/cases`, the words and units, and whole notes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from medtext.rulebook import load_table, rules_dir
from medtext.schema import Value
from medtext.times import TimeReader, TimeWord, style_of
from medtext.values import Unit, ValueReader, ValueWord, with_reference
from tests.cases import FOLDER

UNITS = load_table(rules_dir() / "units.tsv", Unit)
READER = ValueReader(UNITS, load_table(rules_dir() / "values.tsv", ValueWord))
CLOCK = TimeReader(load_table(rules_dir() / "times.tsv", TimeWord))


@dataclass(frozen=True)
class ValueCase:
    """A line of `values.tsv`."""

    set: str
    test: str
    text: str
    reading: str
    before: str = ""
    unit: str = ""
    tail: str = ""


@dataclass(frozen=True)
class TimeCase:
    """A line of `times.tsv`; a `course` is a prescription's length; `others` are the note's other dates, separated by blanks."""

    set: str
    kind: str
    text: str
    reading: str
    before: str = ""
    others: str = ""


VALUES = load_table(FOLDER / "values.tsv", ValueCase)
TIMES = load_table(FOLDER / "times.tsv", TimeCase)


def reading_of(case: ValueCase) -> str:
    tail = case.tail.replace("\\t", "\t")
    value = READER.read(case.text, case.unit, case.test, case.before, tail)
    if value is None:
        return "none"
    if reference := READER.reference(tail, case.test):
        return written(with_reference(value, reference))
    return f"{written(value)} {READER.flag(tail)}".strip()


def written(value: Value) -> str:
    """A value as the table writes it."""
    parts = [
        numbers(value),
        f"unit={value.unit}" if value.unit and not value.systolic else "",
        f"of={value.scale}" if value.scale else "",
        f"grade={value.grade}" if value.grade else "",
        f"bp={value.systolic}/{value.diastolic or '-'}" if value.systolic else "",
        value.interpretation,
        f"ref={ends(value.reference_low, value.reference_high)}"
        if (value.reference_low, value.reference_high) != (None, None)
        else "",
        {True: "outside", False: "inside", None: ""}[value.abnormal],
    ]
    return " ".join(filter(None, parts))


def numbers(value: Value) -> str:
    if value.low is None or value.high is None or value.low == value.high:
        bound = value.high if value.low is None else value.low
        return "" if bound is None else f"{value.comparator}{bound:.10g}"
    return value.comparator + ends(value.low, value.high)


def ends(low: float | None, high: float | None) -> str:
    return "..".join("" if end is None else f"{end:.10g}" for end in (low, high))


def time_of(case: TimeCase) -> str:
    if case.kind == "date":
        return CLOCK.date(case.text, style_of([case.text, *case.others.split()])) or "none"
    return CLOCK.duration(case.text, case.before, course=case.kind == "course") or "none"


@pytest.mark.parametrize("case", VALUES, ids=lambda case: f"{case.test}: {case.text}{case.tail}")
def test_a_result(case: ValueCase) -> None:
    assert reading_of(case) == case.reading


@pytest.mark.parametrize("case", TIMES, ids=lambda case: case.text)
def test_a_time(case: TimeCase) -> None:
    assert time_of(case) == case.reading
