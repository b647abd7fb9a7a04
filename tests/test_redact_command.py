"""`medtext phi` and `medtext redact`, as a user runs them."""

import datetime
import json
import os
import re
from pathlib import Path

import pytest

from tests.test_cli import medtext


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    (folder / "ward-3").mkdir(parents=True)
    (folder / "a.txt").write_text("She denies chest pain.")
    (folder / "ward-3/c.txt").write_bytes(b"Mr. Tolliver,\r\nMRN: 4471-0932, has chest pain.\n")
    return folder


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_phi_writes_protected_health_information_only(notes: Path) -> None:
    (notes / "c.txt").write_text("Mr. Tolliver, MRN: 4471-0932, seen 03/14/2019 for chest pain.")
    done = medtext("phi", notes, "-o", "-", "--policy", "limited-data-set")
    assert done.returncode == 0, done.stderr
    records = {row["DocumentId"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert [entity["Type"] for entity in records["c.txt"]["Entities"]] == ["NAME", "ID"]
    assert records["a.txt"]["Entities"] == []


def test_phi_writes_a_report_without_any(notes: Path, tmp_path: Path) -> None:
    (notes / "jonah-tolliver.txt").write_text("MRN: 4471-0933, seen 03/14/2019.")
    (notes / "empty.txt").write_text("")
    done = medtext("phi", notes, "--report", tmp_path / "report.json", "--hash-ids")
    assert done.returncode == 3
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["Documents"], report["DocumentsWithDirectIdentifiers"], len(report["Failed"])) == (3, 2, 1)
    assert {(row["Type"], row["Subtype"]): row["Count"] for row in report["Types"]}["ID", "MRN"] == 2
    worst, next_to_it, best = report["Risks"]
    assert (worst["Direct"], next_to_it["Direct"], best["Direct"]) == (2, 1, 0)
    assert next_to_it["Per1000Characters"] == round(2000 / 32, 2)
    assert "olliver" not in (tmp_path / "report.json").read_text() + done.stderr
    done = medtext("phi", notes, "--report", tmp_path / "report.html", "-o", tmp_path / "phi.jsonl")
    assert len(rows(tmp_path / "phi.jsonl")) == 4
    page = (tmp_path / "report.html").read_text()
    assert "<td>MRN</td>" in page
    assert "4471" not in page


def test_a_folder_is_redacted_into_a_folder(notes: Path, tmp_path: Path) -> None:
    (notes / "bad.txt").write_bytes(b"Mr. Tolliver \xff")
    done = medtext("redact", notes, "-o", tmp_path / "out", "--map", tmp_path / "map.jsonl")
    assert done.returncode == 3
    assert "failed: bad.txt: InvalidEncoding" in done.stderr
    assert (tmp_path / "out/ward-3/c.txt").read_bytes() == b"Mr. [NAME],\r\nMRN: [ID], has chest pain.\n"
    written = sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert written == ["a.txt", "c.txt"]
    names = ("BeginOffset", "EndOffset", "NewBeginOffset", "NewEndOffset")
    maps = {
        row["DocumentId"]: [[one[name] for name in names] for one in row["Replaced"]]
        for row in rows(tmp_path / "map.jsonl")
    }
    assert maps == {"a.txt": [], "ward-3/c.txt": [[4, 12, 4, 10], [20, 29, 18, 22]]}
    assert "2 notes were done before" in medtext("redact", notes, "-o", tmp_path / "out", "--resume").stderr


def test_notes_are_not_redacted_onto_themselves(notes: Path) -> None:
    for source, out in ((notes, notes), (notes, notes / "new"), (notes / "a.txt", notes)):
        done = medtext("redact", source, "-o", out, "--force")
        assert done.returncode == 2
        assert "where the notes are" in done.stderr
    assert (notes / "a.txt").read_text() == "She denies chest pain."


@pytest.fixture
def visits(tmp_path: Path) -> Path:
    """Two visits of one patient, one of another who says the same, and one of nobody."""
    said = "Mr. Jonah Tolliver, MRN: 4471-0932, was seen on 03/{:02}/2019 and has chest pain."
    notes = [("1", "p", 10), ("2", "p", 24), ("3", "q", 10)]
    lines = [json.dumps({"id": name, "who": who, "text": said.format(day)}) for name, who, day in notes]
    (tmp_path / "visits.jsonl").write_text("\n".join([*lines, json.dumps({"id": "4", "text": "No one's."})]))
    return tmp_path / "visits.jsonl"


def test_surrogates_stay_within_a_patient_for_any_number_of_workers(visits: Path) -> None:
    outs = set()
    for workers, seed in ((1, "1"), (2, "2")):
        done = medtext(
            *("redact", visits, "-o", "-", "--mode", "surrogate", "--patient-column", "who", "--workers", workers),
            env={**os.environ, "MEDTEXT_HASH_KEY": "k", "PYTHONHASHSEED": seed},
        )
        assert done.returncode == 3
        assert "failed: 4: MissingPatient" in done.stderr
        outs.add(done.stdout)
    (out,) = outs
    texts = {row["id"]: row["text"] for row in map(json.loads, out.splitlines())}
    assert "Tolliver" not in out
    dates = {name: re.search(r"\d\d/\d\d/\d{4}", text)[0] for name, text in texts.items()}
    without = {name: text.replace(dates[name], "") for name, text in texts.items()}
    assert without["1"] == without["2"] != without["3"]
    first, second = (datetime.datetime.strptime(dates[name], "%m/%d/%Y") for name in ("1", "2"))
    assert (second - first).days == 14


@pytest.mark.parametrize("out", ["out.jsonl", "out.parquet"])
def test_tables_are_redacted_into_tables_that_can_be_read_again(visits: Path, tmp_path: Path, out: str) -> None:
    done = medtext("redact", visits, "-o", tmp_path / out, "--mode", "tag")
    assert done.returncode == 0, done.stderr
    again = medtext("redact", tmp_path / out, "-o", "-", "--policy", "expert")
    texts = {row["id"]: row["text"] for row in map(json.loads, again.stdout.splitlines())}
    assert texts["1"] == "Mr. [NAME-1], MRN: [ID-1], was seen on [DATE-1] and has chest pain."
    assert set(texts) == {"1", "2", "3", "4"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["phi", "-o", "out", "--policy", "strict"], "There is no policy 'strict'"),
        (["phi"], "Say where the records go with -o"),
        (["phi", "--report", "report.pdf"], "is a .html or a .json file"),
        (["redact", "-o", "out", "--mode", "blur"], "There is no mode 'blur'"),
        (["redact", "-o", "out", "--mode", "hash"], "needs a key"),
        (["redact", "-o", "out", "--patient-column", "who"], "has no columns"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], said: str, notes: Path) -> None:
    command, *rest = arguments
    environment = {name: value for name, value in os.environ.items() if name != "MEDTEXT_HASH_KEY"}
    done = medtext(command, notes, *rest, env=environment)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
