"""The command line: exit statuses, one sentence an error, and every kind of bad input in one job."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, SAMPLES

PYTHON = [sys.executable, "-m", "medtext"]


def medtext(*arguments: object, **settings) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PYTHON, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=settings.pop("cwd", ROOT),
        check=False,
        **settings,
    )


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    (folder / "ward-3").mkdir(parents=True)
    (folder / "a.txt").write_text("She denies chest pain.")
    (folder / "ward-3/b.txt").write_text("He has hypertension and takes lisinopril 10 mg daily.")
    return folder


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    done = medtext("--help")
    assert done.returncode == 0
    assert all(
        command in done.stdout for command in ("extract", "phi", "icd10cm", "rxnorm", "redact", "view", "evaluate")
    )
    loaded = "import sys, medtext.cli; print([name for name in ('spacy', 'numpy', 'pyarrow', 'faker') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, cwd=ROOT).stdout == "[]\n"


def test_a_folder_becomes_a_folder_of_records(notes: Path, tmp_path: Path) -> None:
    done = medtext("extract", notes, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out/ward-3/b.txt.json").read_text())
    assert {"DX_NAME", "GENERIC_NAME"} <= {entity["Type"] for entity in record["Entities"]}
    assert "2 notes read, 2 done, 0 failed" in done.stderr
    again = medtext("extract", notes, "-o", tmp_path / "out")
    assert again.returncode == 2
    assert "--force overwrites it" in again.stderr
    assert "2 notes were done before" in medtext("extract", notes, "-o", tmp_path / "out", "--resume").stderr


def test_a_file_may_go_into_a_folder_that_is_named_like_one_or_is_not_there_yet(notes: Path, tmp_path: Path) -> None:
    (tmp_path / "run.txt").mkdir()
    assert medtext("extract", notes, "-o", tmp_path / "run.txt").returncode == 0
    assert medtext("report", tmp_path / "run.txt", "-o", tmp_path / "new/deep/report.html").returncode == 0
    assert "medtext report" in (tmp_path / "new/deep/report.html").read_text()


def test_a_folder_without_text_files_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.md").write_text("Fever.")
    done = medtext("extract", tmp_path / "notes", "-o", tmp_path / "out")
    assert done.returncode == 0
    assert "There is no .txt in the folders that are named." in done.stderr


def test_what_is_kept_can_be_narrowed(notes: Path) -> None:
    done = medtext("extract", notes, "-o", "-", "--categories", "MEDICATION", "--min-score", "0.5")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert {entity["Category"] for record in records for entity in record["Entities"]} == {"MEDICATION"}


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        (["icd10cm"], {("MEDICAL_CONDITION", "ICD10CMConcepts", "I10")}),
        (["rxnorm"], {("MEDICATION", "RxNormConcepts", "314076")}),
        (["extract", "--concepts", "rxnorm"], {("MEDICATION", "RxNormConcepts", "314076")}),
        (["extract", "--concepts", "none"], set()),
    ],
)
def test_codes_can_be_asked_for(notes: Path, command: list[str], kept: set[tuple[str, str, str]]) -> None:
    done = medtext(*command, notes / "ward-3", "-o", "-")
    assert done.returncode == 0, done.stderr
    entities = [entity for line in done.stdout.splitlines() for entity in json.loads(line)["Entities"]]
    coded = {
        (entity["Category"], name, concepts[0]["Code"])
        for entity in entities
        for name, concepts in entity.items()
        if name.endswith("Concepts")
    }
    assert coded == kept
    assert command[0] == "extract" or {entity["Category"] for entity in entities} == {
        category for category, _, _ in kept
    }


def test_ids_can_be_hashed(notes: Path, tmp_path: Path) -> None:
    (notes / "jonah-tolliver.txt").write_bytes(b"\xff\xfe")
    done = medtext("extract", notes, "-o", tmp_path / "out.jsonl", "--hash-ids")
    assert done.returncode == 3
    assert "tolliver" not in (tmp_path / "out.jsonl").read_text() + done.stdout + done.stderr
    keyed = medtext("extract", notes, "-o", "-", "--hash-ids", env={**os.environ, "MEDTEXT_HASH_KEY": "k"})
    ids = {json.loads(line)["DocumentId"] for line in keyed.stdout.splitlines()}
    assert len(ids) == 3
    assert not ids & {json.loads(line)["DocumentId"] for line in (tmp_path / "out.jsonl").read_text().splitlines()}


def test_bad_notes_are_listed_and_the_rest_is_done(notes: Path, tmp_path: Path) -> None:
    bad = {
        "empty.txt": b"",
        "binary.txt": b"\x00\x01\x02" * 100,
        "latin.txt": "Fièvre".encode("latin-1"),
        "large.txt.gz": gzip.compress(b"fever " * 17_000_000, 1),
        "torn.txt.gz": b"\x1f\x8b\x08\x00broken",
    }
    for name, content in bad.items():
        (notes / name).write_bytes(content)
    hard = {
        "spaces.txt": b"fever" + b" " * 999_000,
        "word.txt": b"x" * 999_999,
        "digits.txt": b"7" * 200_000,
        "dots.txt": b"a." * 100_000,
        "controls.txt": b"fever\x07 and\x1b[31m cough\x0b\x0c",
        "brackets.txt": b"(AB) " * 5_000,
    }
    for name, content in hard.items():
        (notes / name).write_bytes(content)
    done = medtext("extract", notes, "-o", tmp_path / "out.jsonl")
    records = {row["DocumentId"]: row for row in map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())}
    assert done.returncode == 3
    assert {name for name, row in records.items() if "Error" in row} == set(bad)
    assert set(records) == set(bad) | set(hard) | {"a.txt", "ward-3/b.txt"}
    assert all(f"failed: {name}: " in done.stderr for name in bad)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["extract", "nowhere", "-o", "out"], "There is no nowhere."),
        (["extract", SAMPLES, "-o", "out", "--categories", "DRUGS"], "There is no category 'DRUGS'"),
        (["extract", SAMPLES, "-o", "out", "--min-score", "2"], "between 0 and 1"),
        (["extract", SAMPLES, "-o", "out", "--format", "xml"], "There is no format 'xml'"),
        (["extract", SAMPLES, "-o", "out", "--model", "nowhere"], "There is no medtext model in nowhere"),
        (["extract", SAMPLES, "-o", "/proc/out"], "cannot be written to"),
        (["extract", SAMPLES], "Missing option"),
        (["view", "nowhere.txt"], "There is no nowhere.txt."),
        (["evaluate", "nowhere.jsonl"], "There is no nowhere.jsonl."),
        (["evaluate", "."], ". cannot be read as UTF-8 text."),
        (["extract", "", "-o", "out"], "One of the notes' paths is empty"),
        (["extract", SAMPLES, "-o", ""], "The output has no name; name a folder"),
        (["extract", SAMPLES, "-o", "out.csv"], "No out.csv can be written; name a folder"),
        (["extract", SAMPLES, "-o", "out.JSONL", "--format", "jsonl"], "No out.JSONL can be written"),
        (["redact", SAMPLES, "-o", "out.txt"], "No out.txt can be written; name a folder"),
        (["extract", SAMPLES, "-o", "out", "--timeout", "inf"], "at most 1,000,000 seconds, not inf"),
        (["extract", SAMPLES, "-o", "out", "--rules", "nowhere"], "There is no folder of rules nowhere."),
        (["extract", SAMPLES, "-o", "out", "--rules", SAMPLES], "cannot be read: No such file"),
        (["phi", SAMPLES, "--report", "/proc/new/report.html"], "The system refuses /proc/new: "),
        (["--log-level", "loud", "evaluate", "x"], "There is no log level 'loud'"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments, said: str, tmp_path: Path) -> None:
    done = medtext(*arguments, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode in (1, 2)
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_one_sentence(notes: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    command = [*PYTHON, "extract", str(notes), "-o", "-"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert "The disk is full; make room, and start again." in done.stderr  # standard output is not gone on with
    assert "Traceback" not in done.stderr


def test_evaluation_prints_a_table_and_json(tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    spans = [{"id": 1, "start": 11, "end": 21, "type": "DX_NAME", "traits": ["SYMPTOM", "NEGATION"], "parent": None}]
    gold.write_text(json.dumps({"id": "a", "text": "She denies chest pain.", "spans": spans}) + "\n")
    table = medtext("evaluate", gold)
    assert table.returncode == 0, table.stderr
    assert "DX_NAME" in table.stdout
    scores = json.loads(medtext("evaluate", gold, "--json").stdout)
    assert scores["exact"]["ALL"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "gold": 1, "found": 1}
    assert json.loads(medtext("evaluate", gold, "--given-spans", "--json").stdout)["traits"]["NEGATION"]["f1"] == 1.0


def test_view_writes_a_page(tmp_path: Path) -> None:
    done = medtext("view", SAMPLES / "progress_note.txt", "-o", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text()
    assert "DX_NAME" in page
    assert "MEDICAL_CONDITION" in page
    assert 'href="#s' in page


def test_machines_are_told_in_json_lines(notes: Path, tmp_path: Path) -> None:
    (notes / "empty.txt").write_text("")
    done = medtext("extract", notes, "-o", tmp_path / "out", "--format", "jsonl", "--log-json")
    assert done.returncode == 3
    assert not done.stdout
    events = [json.loads(line) for line in done.stderr.splitlines() if '"progress"' not in line]  # of a slow machine
    assert [event["event"] for event in events] == ["start", "failed", "read", "end"]
    assert all(event["time"].endswith("+00:00") for event in events)
    assert (events[0]["notes_total"], events[0]["workers"], events[0]["resume"]) == (3, 1, False)
    assert (events[1]["id"], events[1]["code"]) == ("empty.txt", "EmptyNote")
    assert (events[3]["status"], events[3]["notes"], events[3]["failed"]) == (3, 3, 1)
    refused = medtext("extract", notes, "-o", tmp_path / "out", "--format", "jsonl", "--log-json")
    (event,) = map(json.loads, refused.stderr.splitlines())
    assert (event["event"], event["status"]) == ("end", 2)
    assert "--resume goes on" in event["error"]


def test_a_job_goes_on_with_the_same_settings_only(notes: Path, tmp_path: Path) -> None:
    out = ("-o", tmp_path / "out", "--format", "parquet")
    assert medtext("extract", notes, *out).returncode == 0
    again = medtext("extract", notes, *out, "--resume", "--workers", "2")
    assert again.returncode == 0
    assert "2 notes were done before." in again.stderr
    other = medtext("extract", notes, *out, "--resume", "--categories", "ANATOMY")
    assert other.returncode == 2
    assert "begun with other settings: categories was [] and is ['ANATOMY']; --force starts again." in other.stderr
    (notes / "c.txt").write_text("She has fever.")
    more = medtext("extract", notes, *out, "--resume")
    assert "3 notes read, 3 done, 0 failed" in more.stderr


def test_a_file_that_is_whole_is_not_gone_on_with(notes: Path, tmp_path: Path) -> None:
    out = ("-o", tmp_path / "out.jsonl")
    assert medtext("extract", notes, *out).returncode == 0
    done = medtext("extract", notes, *out, "--resume")
    assert done.returncode == 0
    assert "is whole; there is nothing left to do." in done.stderr
