"""Each kind of bad input, through the command line: a clear error or a record that says what is wrong, and the rest of
the job goes on. The pipeline is a small one (`tests.fakes`); its workers are real."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medtext.writers.target import META
from tests.conftest import ROOT

COMMAND = """
import medtext.pipeline
from tests import fakes
medtext.pipeline.build = fakes.build
if __name__ == "__main__":
    from medtext.cli import main
    main()
"""
GOOD = "She has fever."


def packed(length: int) -> bytes:
    """A text of this length, gzipped."""
    return gzip.compress(b"fever " * (length // 6), 1)


FILES = {
    "not-utf-8.txt": ("Fièvre".encode("latin-1"), "InvalidEncoding", "Byte 2 is not utf-8; name the note's encoding"),
    "empty.txt": (b"", "EmptyNote", "The note is empty."),
    "blank.txt": (b" \r\n\t", "EmptyNote", "The note is empty."),
    "binary.txt": (b"\x7fELF\x02\x01\x00\xff" + bytes(99), "BinaryFile", "This is not text; if it is text of another"),
    "controls-only.txt": (bytes(range(1, 32)) * 9, "BinaryFile", "This is binary data, not text."),
    "200-MB.txt.gz": (
        packed(200_000_004),
        "TooLong",
        "The file is larger than 200,000,000 bytes; split it into notes.",
    ),
    "100-MB.txt.gz": (packed(100_000_002), "TooLong", "The note has 100,000,002 characters; the limit is 100,000,000."),
    "a-million-spaces.txt": (b" " * 1_000_000, "EmptyNote", "The note is empty."),
    "torn.txt.gz": (gzip.compress(os.urandom(999))[:500], "TruncatedFile", "The gzip data end early or are damaged"),
    "no-gzip.txt.gz": (GOOD.encode(), "TruncatedFile", "The gzip data end early or are damaged"),
    "kills-its-worker.txt": (b"DIE", "WorkerDied", "The worker that read this note died; it may need more memory."),
    "takes-too-long.txt": (b"HANG", "Timeout", "The note took longer than 2 seconds."),
    "breaks.txt": (b"BREAK", "InternalError", "The note could not be read (RuntimeError)."),
}
HARD = {
    "good.txt": GOOD.encode(),
    "ward/good.txt": GOOD.encode(),
    "spaces-and-a-word.txt": b" " * 999_994 + b"fever",
    "endless-word.txt": b"x" * 999_999,
    "in-windows.txt": b"cough " * 40_000 + b"fever",
    "some-controls.txt": b"fever\x07 \x1b[31mand\x0b cough\x0c \x00 with chills and sweats",
    "marked.txt": "\ufeffShe has fever.".encode(),
}
LINES = {
    "surrogate": (
        '{"id": "surrogate", "text": "a \\ud800 b"}',
        "LoneSurrogate",
        "Character 2 is half of a surrogate pair",
    ),
    "no-text": ('{"id": "no-text"}', "MissingText", "This row has no text."),
    "null": ('{"id": "null", "text": null}', "MissingText", "This row has no text."),
    "number": ('{"id": "number", "text": 7}', "MissingText", "The text of this row is not a string."),
    "a.jsonl:5": ('{"id": "torn", "text": "She', "InvalidJson", "This line is not valid JSON."),
    "twice#2": ('{"id": "twice", "text": "other"}', "DuplicateId", "The id before the # occurred before"),
}


def medtext(folder: Path, *arguments: object, before: str = "", **settings) -> subprocess.CompletedProcess[str]:
    """Runs the command line with a small pipeline, after other Python code."""
    script = folder / "medtext_with_a_small_pipeline.py"
    script.write_text(before + COMMAND)
    return subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        **settings,
    )


def records(path: Path) -> dict[str, dict]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len({row["DocumentId"] for row in rows}) == len(rows)
    return {row["DocumentId"]: row for row in rows}


def refused(done: subprocess.CompletedProcess[str], status: int, said: str) -> None:
    """It is one plain sentence."""
    assert done.returncode == status
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory):
    """One job over every bad note that a folder and a table can hold: how it ended, and its records."""
    folder = tmp_path_factory.mktemp("bad")
    for name, content in {**HARD, **{name: content for name, (content, _, _) in FILES.items()}}.items():
        path = folder / "notes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "notes/unreadable.txt").symlink_to("nowhere")
    twice = '{"id": "twice", "text": "She has fever."}'
    *lines, again = (line for line, _, _ in LINES.values())
    (folder / "a.jsonl").write_text("\n".join((*lines, twice, again)))
    whole = folder / "torn.parquet"
    pq.write_table(pa.table({"text": [GOOD] * 9}), whole)
    whole.write_bytes(whole.read_bytes()[:-40])
    (folder / "no-column.csv").write_text("key,report\n7,fever\n")
    inputs = ("notes", "a.jsonl", "torn.parquet", "no-column.csv")
    done = medtext(folder, "extract", *inputs, "-o", "out.jsonl", "--workers", 2, "--timeout", 2)
    return done, records(folder / "out.jsonl")


EXPECTED = {
    **{name: (code, said) for name, (_, code, said) in {**FILES, **LINES}.items()},
    "unreadable.txt": ("UnreadableFile", "The file cannot be read: No such file or directory."),
    "torn.parquet": ("TruncatedFile", "The Parquet data end early or are damaged; write the file again."),
    "no-column.csv": ("MissingColumn", "name the one that holds the text with --text-column."),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_wrong_with_a_note_is_in_its_record_and_listed(job, name: str) -> None:
    done, found = job
    code, said = EXPECTED[name]
    assert found[name]["Error"]["Code"] == code
    assert said in found[name]["Error"]["Message"]
    assert f"failed: {name}: {code}: " in done.stderr


def test_the_rest_of_the_job_is_done(job) -> None:
    done, found = job
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert set(found) == {*EXPECTED, *HARD, "twice"}
    assert [name for name, row in found.items() if "Error" in row and name not in EXPECTED] == []
    fever = {name: row["Entities"][0]["BeginOffset"] for name, row in found.items() if row.get("Entities")}
    assert fever == {
        "good.txt": 8,
        "ward/good.txt": 8,
        "spaces-and-a-word.txt": 999_994,
        "in-windows.txt": 240_000,
        "some-controls.txt": 0,
        "marked.txt": 9,
        "twice": 8,
    }


def test_another_encoding_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Fièvre, fever".encode("latin-1"))
    done = medtext(tmp_path, "extract", "a.txt", "-o", "-", "--encoding", "latin-1")
    assert done.returncode == 0
    assert json.loads(done.stdout)["Entities"][0]["BeginOffset"] == 8


def test_a_table_without_its_column_is_wrong_usage_where_there_is_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("key,report\n7,fever\n")
    refused(medtext(tmp_path, "extract", "a.csv", "-o", "out"), 2, "There is no column called text")
    refused(medtext(tmp_path, "extract", "a.csv", "-o", "out", "--text-column", "body"), 2, "no column 'body'")
    assert not (tmp_path / "out").exists()
    done = medtext(tmp_path, "extract", "a.csv", "-o", "-", "--text-column", "report", "--id-column", "key")
    assert json.loads(done.stdout)["DocumentId"] == "7"


FULL = """
import errno, medtext.writers.target as target
synced = []
whole = target._sync
def sync(path, how):
    synced.append(path)
    if len(synced) > 2:  # the file that says which job this is, and its folder
        raise OSError(errno.ENOSPC, "No space left on device")
    whole(path, how)
target._sync = sync
"""


@pytest.mark.parametrize("out", ["out", "out.jsonl", "out.parquet"])
def test_a_full_disk_ends_the_job_with_one_sentence(tmp_path: Path, out: str) -> None:
    (tmp_path / "a.txt").write_text(GOOD)
    done = medtext(tmp_path, "extract", "a.txt", "-o", out, before=FULL)
    refused(done, 1, "The disk is full; make room, and go on with --resume.")
    assert not (tmp_path / "out/a.txt.json").exists()
    assert not (tmp_path / "out.jsonl").exists()
    assert not (tmp_path / "out.parquet").exists()
    assert not list(tmp_path.rglob("*records*"))
    assert medtext(tmp_path, "extract", "a.txt", "-o", out, "--resume").returncode == 0


@pytest.mark.parametrize("out", ["taken/out", "taken/out.jsonl", "taken/out.parquet", "taken", "x" * 999])
def test_a_place_that_cannot_be_written_to_is_told_before_any_note_is_read(tmp_path: Path, out: str) -> None:
    (tmp_path / "a.txt").write_text("DIE")
    (tmp_path / "taken").write_text("")
    done = medtext(tmp_path, "extract", "a.txt", "-o", out)
    refused(done, 2, "taken is a file; name a folder." if out == "taken" else f"{out} cannot be written to: ")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is locked to this user")
def test_locked_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "notes/locked").mkdir(parents=True)
    (tmp_path / "notes/a.txt").write_text(GOOD)
    (tmp_path / "out").mkdir()
    for path in ("notes/a.txt", "notes/locked", "out"):
        (tmp_path / path).chmod(0)
    try:
        refused(medtext(tmp_path, "extract", "notes", "-o", "out"), 2, "out cannot be written to: Permission denied.")
        done = medtext(tmp_path, "extract", "notes", "-o", "out.jsonl")
    finally:
        for path in ("notes/a.txt", "notes/locked", "out"):
            (tmp_path / path).chmod(0o700)
    found = records(tmp_path / "out.jsonl")
    assert {name: row["Error"]["Code"] for name, row in found.items()} == dict.fromkeys(
        ("a.txt", "locked/"), "UnreadableFile"
    )
    assert done.returncode == 3


def test_ids_that_lead_out_of_the_folder_stay_in_it(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    names = ["../../x", "/etc/x", "a/../../x", "..\\x", "x\ny", "\x1b[31mx"]
    (tmp_path / "run/a.jsonl").write_text("".join(json.dumps({"id": name, "text": GOOD}) + "\n" for name in names))
    done = medtext(tmp_path / "run", "extract", "a.jsonl", "-o", "out/deep")
    assert done.returncode == 0
    written = [path for path in tmp_path.rglob("*.json") if path.is_file() and META not in path.parts]
    assert all(path.is_relative_to(tmp_path / "run/out/deep") for path in written)
    assert sorted(json.loads(path.read_text())["DocumentId"] for path in written) == sorted(names)


def test_an_id_does_not_write_to_the_terminal_what_it_would_obey(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "\x1b[31mred\r\nfailed: good", "text": ""}) + "\n")
    done = medtext(tmp_path, "extract", "a.jsonl", "-o", "-")
    assert done.returncode == 3
    assert "\x1b" not in done.stderr
    assert "failed: \\x1b[31mred\\r\\nfailed: good: EmptyNote" in done.stderr


def test_notes_are_not_overwritten_with_their_records(tmp_path: Path) -> None:
    line = json.dumps({"id": "a", "text": GOOD}) + "\n"
    (tmp_path / "a.jsonl").write_text(line)
    (tmp_path / "b.jsonl").symlink_to("a.jsonl")
    for out in ("a.jsonl", "b.jsonl"):
        refused(medtext(tmp_path, "extract", "a.jsonl", "-o", out, "--force"), 2, "holds the notes that are to be read")
    assert (tmp_path / "a.jsonl").read_text() == line


def test_ids_are_written_in_utf_8_whatever_the_terminal_takes(tmp_path: Path) -> None:
    (tmp_path / "é.txt").write_text("")
    script = tmp_path / "job.py"
    script.write_text(COMMAND)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, str(script), "extract", str(tmp_path), "-o", "-"],
        capture_output=True,
        env=environment,
        check=False,
    )
    assert json.loads(done.stdout)["DocumentId"] == "é.txt"
    assert b"failed: \\xe9.txt: EmptyNote" in done.stderr
