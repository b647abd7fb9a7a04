"""What a job says of itself on its way, to people and to machines."""

import json

import pytest

from medtext import progress
from medtext.schema import Failure, Record
from medtext.tally import Tally
from medtext.writers import StandardOutput

RECORDS = [
    Record("a", 3000, "1"),
    Record("b", error=Failure("EmptyNote", "The note is empty.")),
    Record("c", 1000, "1"),
]


@pytest.fixture
def tally(monkeypatch: pytest.MonkeyPatch) -> Tally:
    """A tally, a line after every second record, and a clock on which a record takes two seconds."""
    now = 0.0

    def clock() -> float:
        return now

    class Ticking(Tally):
        def add(self, record: Record) -> None:
            nonlocal now
            now += 2.0
            super().add(record)

    monkeypatch.setattr(progress.time, "monotonic", clock)
    monkeypatch.setattr(progress, "SECONDS", 4.0)
    return Ticking(StandardOutput(lambda _record: None))


@pytest.mark.parametrize(("total", "left"), [(4, ", 00:04 left"), (None, "")])
def test_plain_lines(tally: Tally, total: int | None, left: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.with_lines(iter(RECORDS), tally, total)) == RECORDS
    said = f"2 notes, 0.5 a second, 750 characters a second, 1 failed{left}"
    assert capsys.readouterr().err.splitlines() == [said]


def test_a_bar(tally: Tally, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.with_bar(iter(RECORDS), tally, 3)) == RECORDS
    bar = capsys.readouterr().err
    assert "3/3" in bar
    assert "notes/s" in bar
    assert "characters/s, 1 failed" in bar


def test_json_lines(tally: Tally, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.with_events(iter(RECORDS), tally, 4)) == RECORDS
    failed, on_the_way, read = map(json.loads, capsys.readouterr().err.splitlines())
    assert {name: failed[name] for name in ("event", "id", "code")} == {
        "event": "failed",
        "id": "b",
        "code": "EmptyNote",
    }
    on_the_way.pop("time")
    assert on_the_way == {
        "event": "progress",
        "notes": 2,
        "notes_before": 0,
        "notes_total": 4,
        "failed": 1,
        "characters": 3000,
        "seconds": 4.0,
        "notes_per_second": 0.5,
        "characters_per_second": 750,
        "seconds_left": 4,
    }
    assert (read["event"], read["notes"], read["characters"]) == ("read", 3, 4000)
