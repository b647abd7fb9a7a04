"""Records appear whole, under names that cannot lead astray, and nothing is overwritten unasked."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from medtext.errors import UsageError
from medtext.schema import Entity, Failure, Record, Value
from medtext.writers import Target, open_output
from medtext.writers.encoding import encoded
from medtext.writers.files import file_name
from medtext.writers.parquet import VALUE
from medtext.writers.target import META
from tests.test_schema import RECORD

FAILED = Record("b.txt", error=Failure("EmptyNote", "The note is empty."))


def write(target: Target, *records: Record) -> None:
    with open_output(target, {}) as output:
        for record in output.todo(records):
            output.write(record)


def record_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and META not in path.parts)


def test_a_folder_mirrors_the_ids(tmp_path: Path) -> None:
    write(Target(str(tmp_path / "out")), RECORD, FAILED)
    assert json.loads((tmp_path / "out/ward-3/note-017.txt.json").read_text()) == RECORD.to_json()
    assert record_files(tmp_path / "out") == ["b.txt.json", "note-017.txt.json"]


@pytest.mark.parametrize("path", ["out.jsonl", "out"])
def test_json_lines(tmp_path: Path, path: str) -> None:
    write(Target(str(tmp_path / path), "jsonl"), RECORD, FAILED)
    file = tmp_path / path if path.endswith("l") else tmp_path / path / "records-00000.jsonl"
    assert [json.loads(line) for line in file.read_text().splitlines()] == [RECORD.to_json(), FAILED.to_json()]


def test_parquet_has_a_row_a_note(tmp_path: Path) -> None:
    write(Target(str(tmp_path / "out.parquet")), RECORD, FAILED)
    first, second = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert first["DocumentId"] == RECORD.document_id
    assert first["Entities"][0]["Traits"] == RECORD.to_json()["Entities"][0]["Traits"]
    sig = {name: value for name, value in first["Entities"][1]["Sig"].items() if value is not None}
    assert sig == RECORD.to_json()["Entities"][1]["Sig"]
    assert first["UnmappedAttributes"][0]["Attribute"]["Type"] == "FREQUENCY"
    assert second["Error"] == FAILED.to_json()["Error"]


def test_parquet_holds_every_member_of_a_value(tmp_path: Path) -> None:
    value = Value(5.2, 5.6, "~", "mg/dL", 10, 2, 120, 80, "H", 3.5, 5.0, True, "P3W", "2019-03-14")
    time = Entity(1, 0, 4, "TIME_EXPRESSION", "TIME_TO_DX_NAME", 0.9, value=value)
    write(Target(str(tmp_path / "out.parquet")), Record("a", 10, "1", (time,)))
    (row,) = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert row["Entities"][0]["Value"] == value.to_json()
    assert list(value.to_json()) == [field.name for field in VALUE]


def test_what_has_no_value_is_null_in_parquet(tmp_path: Path) -> None:
    write(Target(str(tmp_path / "out.parquet")), RECORD)
    (row,) = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert row["Entities"][0]["Value"] is None
    assert Record.from_json({key: cell for key, cell in row.items() if key != "Error"}).entities[0].value is None


def test_standard_output_is_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    write(Target("-"), FAILED)
    assert json.loads(capsys.readouterr().out) == FAILED.to_json()


@pytest.mark.parametrize("path", ["out", "out.jsonl", "out.parquet"])
def test_nothing_is_overwritten_unasked(tmp_path: Path, path: str) -> None:
    write(Target(str(tmp_path / path)), RECORD)
    with pytest.raises(UsageError, match="--force overwrites it"):
        write(Target(str(tmp_path / path)), FAILED)
    write(Target(str(tmp_path / path), force=True), FAILED)


def test_what_a_broken_off_job_left_is_not_overwritten_unasked(tmp_path: Path) -> None:
    target = Target(str(tmp_path / "out.jsonl"))
    with pytest.raises(RuntimeError), open_output(target, {}, shard_notes=1) as output:
        for record in output.todo([RECORD, FAILED]):
            output.write(record)
        raise RuntimeError
    with pytest.raises(UsageError, match="--resume goes on"):
        write(target, FAILED)
    write(Target(str(tmp_path / "out.jsonl"), force=True), FAILED)
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("path", "kind"), [("out", None), ("out", "jsonl"), ("out.jsonl", None), ("out.parquet", None)]
)
def test_a_job_that_broke_off_before_its_first_record_is_not_in_the_way(tmp_path: Path, path: str, kind: str) -> None:
    with pytest.raises(RuntimeError), open_output(Target(str(tmp_path / path), kind), {}):
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    write(Target(str(tmp_path / path), kind), FAILED)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"Digest": "b"', b"7", b'{"Digest": "b", "Notes": [7]}'])
def test_what_says_that_a_shard_is_done_must_be_whole(tmp_path: Path, content: bytes) -> None:
    write(Target(str(tmp_path / "out"), "jsonl"), RECORD)
    (tmp_path / "out" / META / "00000.json").write_bytes(content)
    with open_output(Target(str(tmp_path / "out"), "jsonl", resume=True), {}) as output:
        assert list(output.todo([RECORD])) == [RECORD]
        output.write(RECORD)


def test_what_contradicts_itself_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choose one"):
        Target(str(tmp_path), force=True, resume=True)


def test_a_file_that_was_not_finished_does_not_appear(tmp_path: Path) -> None:
    for path in ("out.jsonl", "out.parquet"):
        with pytest.raises(RuntimeError), open_output(Target(str(tmp_path / path)), {}) as output:
            output.write(next(iter(output.todo([RECORD]))))
            raise RuntimeError
        assert not (tmp_path / path).exists()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..", "", "a//b", "a/./b", "x" * 500, "a\0b", 'C:\\x<>|"?*', "\ud800"]
)
def test_an_id_cannot_lead_out_of_the_folder(name: str) -> None:
    path = file_name(name)
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert all(len(part.encode()) < 255 for part in path.parts)


def test_ids_that_look_alike_get_files_of_their_own() -> None:
    names = [".medtext/a", "a/b", "a//b", "../a/b", "a?b", "a*b", "a_b", "a.json/b", "a.json_/b", "a"]
    assert len({file_name(name) for name in names}) == len(names)


def test_no_id_leads_to_what_is_kept_of_the_job() -> None:
    assert str(file_name(f"{META}/job")) != f"{META}/job.json"
    assert str(file_name(f"{META}/00000")) != f"{META}/00000.json"


def test_no_folder_is_made_where_a_file_may_be(tmp_path: Path) -> None:
    write(Target(str(tmp_path / "out")), *(Record(name, 3, "1") for name in ("a", "a.json/b", "a.json/b.json")))
    assert len(record_files(tmp_path / "out")) == 3


@pytest.mark.parametrize("path", ["out", "out.jsonl", "out.parquet"])
def test_the_same_records_give_the_same_bytes(tmp_path: Path, path: str) -> None:
    written = []
    for copy in (tmp_path / "one", tmp_path / "two"):
        write(Target(str(copy / path)), RECORD, FAILED)
        written.append([file.read_bytes() for file in sorted(copy.rglob("*")) if file.is_file()])
    assert written[0] == written[1]


def test_a_place_that_cannot_be_written_to_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError):
        write(Target(str(tmp_path / "file/out.jsonl")), RECORD)
    with pytest.raises(UsageError):
        write(Target(str(tmp_path / "file")), RECORD)


@pytest.mark.parametrize(
    ("path", "kind"), [("out", "xml"), ("-", "parquet"), ("out.jsonl", "parquet"), ("out.parquet", "jsonl")]
)
def test_formats_that_do_not_fit_are_wrong_usage(path: str, kind: str) -> None:
    with pytest.raises(UsageError):
        Target(path, kind)


@pytest.mark.parametrize("indent", [None, 1, 4])
@pytest.mark.parametrize("name", ["a", '"@"', "@"])
def test_json_is_the_same_in_pieces(name: str, indent: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [
        replace(RECORD, document_id=name),
        replace(RECORD, document_id=name, entities=()),
        replace(RECORD, document_id=name, unmapped_attributes=()),
        Record(name, 3, "1"),
        replace(FAILED, document_id=name),
    ]
    whole = [b"".join(encoded(record, indent)) for record in records]
    monkeypatch.setattr("medtext.writers.encoding.LARGE", 0)
    assert [b"".join(encoded(record, indent)) for record in records] == whole
    assert json.loads(whole[0]) == records[0].to_json()


def test_parquet_is_the_same_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [RECORD, FAILED, Record("a", 3, "1"), RECORD]
    write(Target(str(tmp_path / "whole.parquet")), *records)
    monkeypatch.setattr("medtext.writers.encoding.LARGE", 1)
    write(Target(str(tmp_path / "pieces.parquet")), *records)
    whole, pieces = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("whole", "pieces"))
    assert pieces == whole
    assert pieces.schema == whole.schema
