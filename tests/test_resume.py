"""Never lost, never twice: a job that is killed anywhere and goes on gives byte for byte what it would have given."""

import json
import random
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from medtext.config import Config
from medtext.errors import UsageError
from medtext.hashing import KEY, job_settings
from medtext.policy import load_policy
from medtext.writers import Target, is_whole
from tests import job
from tests.conftest import ROOT

TARGETS = [("out", "jsonl"), ("out", "parquet"), ("out", "json"), ("out.jsonl", None), ("out.parquet", None)]
NOTES = [(f"n{number}", "fever " * (number % 5)) for number in range(40)]  # every fifth is empty


def write_notes(path: Path, notes=NOTES) -> str:
    path.write_text("".join(json.dumps(note) + "\n" for note in notes))
    return str(path)


def files(out: Path) -> dict[str, bytes]:
    """All that is there, by name."""
    if out.is_file():
        return {"": out.read_bytes()}
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def expected(folder: Path, out: str, format: str | None, notes=NOTES) -> dict[str, bytes]:
    """What a job gives that nothing happens to."""
    folder = folder / "expected"
    folder.mkdir(exist_ok=True)
    job.run(write_notes(folder / "notes", notes), str(folder / out), format, False, force=True)
    return files(folder / out)


def start(notes: str, out: Path, format: str | None, resume: bool, what: str, at: int) -> subprocess.CompletedProcess:
    asked = {"notes": notes, "out": str(out), "format": format, "resume": resume, "what": what, "at": at}
    command = [sys.executable, "-m", "tests.job", json.dumps(asked)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@cache
def steps(out: str, format: str | None) -> int:
    """How many steps a job takes that nothing happens to."""
    with tempfile.TemporaryDirectory() as folder:
        return int(start(write_notes(Path(folder) / "notes"), Path(folder) / out, format, False, "kill", -1).stdout)


def nothing_is_left_over(tmp_path: Path, out: str) -> None:
    assert not list(tmp_path.glob("*.part")), "a broken-off file's folder is left"
    assert not list((tmp_path / out).rglob("*.part"))


@pytest.mark.parametrize(("out", "format"), TARGETS)
def test_a_job_that_is_killed_anywhere_goes_on(tmp_path: Path, out: str, format: str | None) -> None:
    chance = random.Random(f"{out} {format}")
    whole = expected(tmp_path, out, format)
    notes = write_notes(tmp_path / "notes")
    most = steps(out, format)
    kills = 0
    for number in range(4):  # each job is killed until it has come through
        place = tmp_path / str(number)
        place.mkdir()
        done = start(notes, place / out, format, False, "kill", chance.randint(1, most))
        for _ in range(4):
            assert done.returncode == -9
            kills += 1
            done = start(notes, place / out, format, True, "kill", chance.randint(1, most // 3))
            if done.returncode == 0:
                break
        else:
            job.run(notes, str(place / out), format, True)
        assert files(place / out) == whole
        nothing_is_left_over(place, out)
    assert kills >= 8


@pytest.mark.parametrize("what", ["full", "remove"])
@pytest.mark.parametrize(("out", "format"), TARGETS)
def test_a_full_disk_and_a_removed_folder(tmp_path: Path, out: str, format: str | None, what: str) -> None:
    chance = random.Random(f"{out} {format} {what}")
    whole = expected(tmp_path, out, format)
    notes = write_notes(tmp_path / "notes")
    most = steps(out, format)
    for number in range(3):
        place = tmp_path / str(number)
        place.mkdir()
        start(notes, place / out, format, False, what, chance.randint(1, most - 1))
        job.run(notes, str(place / out), format, True)
        assert files(place / out) == whole
        nothing_is_left_over(place, out)


CHANGES = {
    "a note was edited": [*NOTES[:3], ("n3", "xxxxx " * 3), *NOTES[4:]],
    "a note is new": [("new", "fever"), *NOTES],
    "a note is gone": [*NOTES[:9], *NOTES[10:]],
    "notes at the end are gone": NOTES[:15],
    "notes are in another order": NOTES[::-1],
    "a note has another name": [*NOTES[:8], ("other", NOTES[8][1]), *NOTES[9:]],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("out", "format"), [target for target in TARGETS if target[1] != "json"])
def test_changed_notes_are_noticed(tmp_path: Path, out: str, format: str | None, change: str) -> None:
    """The output is that of the notes as they are now."""
    most = steps(out, format)
    start(write_notes(tmp_path / "notes"), tmp_path / out, format, False, "kill", most * 2 // 3)
    job.run(write_notes(tmp_path / "notes", CHANGES[change]), str(tmp_path / out), format, True)
    assert files(tmp_path / out) == expected(tmp_path, out, format, CHANGES[change])


def test_changed_notes_are_noticed_in_a_folder_of_files(tmp_path: Path) -> None:
    """Files of notes that are gone stay, as others' would."""
    notes = write_notes(tmp_path / "notes")
    job.run(notes, str(tmp_path / "out"), "json", False)
    write_notes(tmp_path / "notes", CHANGES["a note was edited"])
    job.run(notes, str(tmp_path / "out"), "json", True)
    assert files(tmp_path / "out") == expected(tmp_path, "out", "json", CHANGES["a note was edited"])


@pytest.mark.parametrize(("out", "format"), TARGETS[:3])
def test_notes_that_may_pass_a_second_time_are_read_again(
    tmp_path: Path, out: str, format: str | None, monkeypatch
) -> None:
    notes = write_notes(tmp_path / "notes", [*NOTES[:10], ("dies", "DIE fever"), *NOTES[10:]])
    first = job.run(notes, str(tmp_path / out), format, False)
    assert first.before == 0
    read = []
    one = job.record

    def better(item):
        read.append(item)
        return one(job.Note(item.id, "fever!!!!")) if isinstance(item, job.Note) else item

    monkeypatch.setattr(job, "record", better)
    again = job.run(notes, str(tmp_path / out), format, True)
    assert again.before == 34
    assert [item.id for item in read if isinstance(item, job.Note)] == ["dies"]
    monkeypatch.undo()
    passed = [*NOTES[:10], ("dies", "fever!!!!"), *NOTES[10:]]
    assert {name: data for name, data in files(tmp_path / out).items() if "00001.json" not in name} == {
        name: data for name, data in expected(tmp_path, out, format, passed).items() if "00001.json" not in name
    }


@pytest.mark.parametrize(("out", "format"), TARGETS)
def test_a_job_that_is_done_is_not_done_again(tmp_path: Path, out: str, format: str | None) -> None:
    notes = write_notes(tmp_path / "notes")
    job.run(notes, str(tmp_path / out), format, False)
    before = files(tmp_path / out)
    if is_whole(Target(str(tmp_path / out), format, resume=True)):
        return
    again = job.run(notes, str(tmp_path / out), format, True)
    assert (again.before, len(again.failed_before)) == (40, 8)
    assert files(tmp_path / out) == before


@pytest.mark.parametrize(("out", "format"), TARGETS)
def test_other_settings_are_refused(tmp_path: Path, out: str, format: str | None) -> None:
    notes = write_notes(tmp_path / "notes")
    start(notes, tmp_path / out, format, False, "kill", steps(out, format) * 2 // 3)
    before = files(Target(str(tmp_path / out), format).folder)
    with pytest.raises(UsageError, match=r"begun with other settings: minimum score was None and is 0\.5; --force"):
        job.run(notes, str(tmp_path / out), format, True, settings={"model": "toy", "minimum score": 0.5})
    with pytest.raises(UsageError, match="model was 'toy' and is 'other'"):
        job.run(notes, str(tmp_path / out), format, True, settings={"model": "other"})
    with pytest.raises(UsageError, match="--resume goes on"):
        job.run(notes, str(tmp_path / out), format, False)
    assert files(Target(str(tmp_path / out), format).folder) == before


def test_another_format_is_refused(tmp_path: Path) -> None:
    notes = write_notes(tmp_path / "notes")
    job.run(notes, str(tmp_path / "out"), "jsonl", False)
    with pytest.raises(UsageError, match="format was 'jsonl' and is 'parquet'"):
        job.run(notes, str(tmp_path / "out"), "parquet", True)


def test_what_is_no_job_is_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds no job that could be gone on with"):
        job.run(write_notes(tmp_path / "notes"), str(tmp_path / "out"), "jsonl", True)


def test_starting_again_leaves_nothing_of_before(tmp_path: Path) -> None:
    whole = expected(tmp_path, "out", "jsonl", NOTES[:9])
    notes = write_notes(tmp_path / "notes")
    for format in ("parquet", "jsonl"):
        job.run(notes, str(tmp_path / "out"), format, False, force=True)
    (tmp_path / "out/mine.txt").write_text("mine")
    write_notes(tmp_path / "notes", NOTES[:9])
    job.run(notes, str(tmp_path / "out"), "jsonl", False, force=True)
    assert files(tmp_path / "out") == {**whole, "mine.txt": b"mine"}


def test_every_setting_that_changes_records_is_among_the_jobs(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/a.tsv").write_text("a")
    rules = Config(rules=tmp_path / "rules")
    found = [
        job_settings(config, hashed)
        for config, hashed in [
            (Config(), False),
            (Config(), True),
            (Config("accurate"), False),
            (Config(categories=("ANATOMY",)), False),
            (Config(min_score=0.5), False),
            (Config(policy=load_policy("safe-harbor")), False),
            (Config(policy=load_policy("expert")), False),
            (Config(date_values=True), False),
            (rules, False),
        ]
    ]
    (tmp_path / "rules/a.tsv").write_text("b")
    found.append(job_settings(rules))
    monkeypatch.setenv(KEY, "k")
    found.append(job_settings(Config(), True))
    monkeypatch.setattr("medtext.hashing.__version__", "9.9")
    found.append(job_settings(Config()))
    assert len({json.dumps(settings) for settings in found}) == len(found)
    assert job_settings(Config()) == found[-1]


def test_the_manifest_is_the_services(tmp_path: Path) -> None:
    job.run(write_notes(tmp_path / "notes"), str(tmp_path / "out"), "jsonl", False)
    summary = json.loads((tmp_path / "out/manifest.json").read_text())["Summary"]
    assert summary["Status"] == "PARTIAL_SUCCESS"
    assert (summary["InputFileCount"], summary["SuccessFilesCount"], summary["UnprocessedFilesCount"]) == (40, 32, 8)
    assert summary["TotalMeteredCharacters"] == sum(len(text) for _, text in NOTES)
    done = json.loads((tmp_path / "out" / summary["SuccessfulFilesListLocation"]).read_text())["Files"]
    assert done[0] == {"Input": "n1", "Output": "records-00000.jsonl", "InputSize": 6}
    assert done[-1]["Output"] == "records-00005.jsonl"
    failed = json.loads((tmp_path / "out" / summary["UnprocessedFilesListLocation"]).read_text())["Files"]
    assert failed[0] == {"Input": "n0", "ErrorCode": "EmptyNote", "ErrorMessage": "The note is empty."}
    written = (tmp_path / "out").glob("records-*.jsonl")
    names = [json.loads(line)["DocumentId"] for path in sorted(written) for line in path.read_text().splitlines()]
    assert names == [name for name, _ in NOTES]


def test_what_is_kept_of_a_job_holds_nothing_of_the_notes(tmp_path: Path) -> None:
    job.run(write_notes(tmp_path / "notes"), str(tmp_path / "out"), "jsonl", False)
    assert b"fever" not in b"".join(files(tmp_path / "out").values())
