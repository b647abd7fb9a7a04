"""No note text leaves memory except in the answer that was asked for.

Canary strings of every kind are planted in notes, each in a sentence that medtext has something to find in; every
command and engine runs with every log level, with notes that fail and a worker that is killed; and then every byte that
was written, standard error and the temporary folder included, is searched for them.
"""

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

CANARIES = {
    "name": "Zyxwvara Quillonix",
    "first_name": "Brumhildegard",
    "drug": "zorvastapril",
    "condition": "qwertzitis",
    "mrn": "9944771103",
    "ssn": "219-09-4471",
    "phone": "614-555-0199",
    "email": "zyx.quillonix@canary.example",
    "address": "8871 Vraxmoor Lane",
    "url": "www.vraxmoor-canary.example",
    "unicode": "Ŀužņĩçþek",
    "word": "xylocanarious",
}
NOTE = """DISCHARGE SUMMARY
Patient: Zyxwvara Quillonix   MRN: 9944771103   SSN: 219-09-4471   Tel: 614-555-0199
Her sister Brumhildegard lives at 8871 Vraxmoor Lane; write to zyx.quillonix@canary.example or www.vraxmoor-canary.example.
She takes zorvastapril 10 mg daily for qwertzitis (QWZ). QWZ is stable. Dr. Ŀužņĩçþek agrees. xylocanarious.
"""
LEVELS = ("debug", "info", "warning", "error")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text(NOTE)
    (folder / "b.txt").write_text(NOTE.upper())
    (folder / "c.txt").write_bytes(NOTE.encode() + b"\xff\xfe")
    (folder / "d.txt").write_bytes(NOTE.encode() + b"\0" * 100)
    (folder / "e.txt").write_text(NOTE + "\x07" * 300)
    return folder


def tables(folder: Path) -> list[Path]:
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"id": "a", "text": NOTE}, {"id": "b", "text": None}, {"id": "a", "text": NOTE}]
    lines = [
        *map(json.dumps, rows),
        json.dumps({"id": "c", "text": NOTE})[:-4],
        json.dumps({"id": "d", "text": NOTE + "\ud800"}),
    ]
    (folder / "a.jsonl").write_text("\n".join(lines))
    (folder / "a.csv").write_text('id,text\n1,"' + NOTE + '"\n2,"' + NOTE)
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet")
    whole = (folder / "a.parquet").read_bytes()
    (folder / "torn.parquet").write_bytes(whole[:-30])
    return [folder / name for name in ("a.jsonl", "a.csv", "a.parquet", "torn.parquet")]


def search(data: bytes, where: str) -> None:
    for kind, canary in CANARIES.items():
        for spelling in {canary, *canary.split()}:
            for form in (spelling.encode(), spelling.encode("unicode_escape"), spelling.encode("utf-16-le")):
                assert not re.search(re.escape(form), data, re.IGNORECASE), f"{where} holds the {kind}"


def run(folder: Path, *arguments: str, code: str = "", level: str = "debug") -> None:
    """Runs medtext with a home, temporary and working folder of its own, and searches all that it leaves."""
    private = folder / "left"
    for name in ("home", "tmp", "cwd"):
        (private / name).mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "HOME": str(private / "home"),
        "TMPDIR": str(private / "tmp"),
        "XDG_CACHE_HOME": str(private / "home/cache"),
        "PYTHONPATH": str(ROOT),
        "PYTHONFAULTHANDLER": "1",
    }
    start = ["-c", code] if code else ["-m", "medtext", "--log-level", level]
    done = subprocess.run(
        [sys.executable, *start, *arguments], capture_output=True, cwd=private / "cwd", env=environment, check=False
    )
    search(done.stderr, "standard error")
    search(done.stdout, "standard output")
    for path in private.rglob("*"):
        search(str(path.relative_to(private)).encode(), "a file's name")
        if path.is_file():
            search(path.read_bytes(), str(path))


@pytest.mark.parametrize("level", LEVELS)
def test_extraction_at_every_log_level(notes: Path, tmp_path: Path, level: str) -> None:
    run(tmp_path, "extract", str(notes), "-o", "out", level=level)


@pytest.mark.parametrize("out", ["out", "out --format jsonl --log-json", "out.jsonl", "out.parquet", "-"])
def test_every_format_and_reader(notes: Path, tmp_path: Path, out: str) -> None:
    inputs = [str(notes), *map(str, tables(notes))]
    run(tmp_path, "extract", *inputs, "-o", *out.split(), "--workers", "2", "--timeout", "60")


@pytest.mark.parametrize("mode", ["mask", "surrogate"])
def test_redaction_leaves_nothing_beside_what_was_asked_for(
    notes: Path, tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDTEXT_HASH_KEY", "a key")
    asked = str(tmp_path / "asked")  # the answer holds the notes' other words
    run(tmp_path, "redact", str(notes), "-o", asked, "--mode", mode, "--policy", "expert", "--map", "map.jsonl")
    assert list((tmp_path / "asked").iterdir())


def test_reports_of_leaks_hold_none(notes: Path, tmp_path: Path) -> None:
    run(tmp_path, "phi", str(notes), "-o", "out.jsonl", "--report", "report.html", "--policy", "safe-harbor")


def test_evaluation(tmp_path: Path) -> None:
    import json

    gold = tmp_path / "gold.jsonl"
    gold.write_text(json.dumps({"id": "a", "text": NOTE, "spans": []}) + "\n")
    run(tmp_path, "evaluate", str(gold))
    gold.write_text(json.dumps({"id": "a", "text": NOTE, "spans": [{"id": 1}]}) + "\n")
    run(tmp_path, "evaluate", str(gold))


def test_view_leaves_nothing_behind(notes: Path, tmp_path: Path) -> None:
    run(tmp_path, "view", str(notes / "a.txt"))
    browser = f"import medtext.view, medtext.cli, sys; medtext.view.webbrowser.open = lambda url: True; medtext.view.SECONDS_OPEN = 0; sys.argv = ['medtext', 'view', {str(notes / 'a.txt')!r}]; medtext.view.show.__defaults__ = (0,); medtext.cli.main()"
    run(tmp_path, code=browser)


@pytest.mark.parametrize("workers", [1, 2])
def test_notes_that_break_hang_or_kill_their_worker(tmp_path: Path, workers: int) -> None:
    code = f"""
import logging, sys
logging.basicConfig(level=logging.DEBUG)
from medtext.config import Config
from medtext.engines.local import Job, run
from medtext.schema import Note
from tests import fakes
from tests.test_privacy import NOTE
if __name__ == "__main__":
    worst = ["BREAK", "HANG"] + (["DIE"] if {workers} > 1 else [])
    notes = [Note(word, NOTE + word) for word in worst]
    for record in run(notes, Config(), Job({workers}, 1.0, fakes.build)):
        print(record.to_json())
"""
    script = tmp_path / "job.py"
    script.write_text(code)
    run(tmp_path, code=f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')")


def test_libraries_that_log_note_text_are_silent(caplog: pytest.LogCaptureFixture, nlp) -> None:
    import medtext

    with caplog.at_level(logging.DEBUG):
        medtext.extract(NOTE, nlp=nlp)
    assert not caplog.records
    assert "PyRuSH" not in sys.modules
    assert logging.getLogger("presidio-analyzer").disabled


def test_the_search_would_find_a_leak() -> None:
    for canary in CANARIES.values():
        with pytest.raises(AssertionError, match="holds the"):
            search(f"x {canary} y".encode(), "here")
