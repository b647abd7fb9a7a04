"""Notes come out as they lie in files, one for each, in order; what cannot be read says so in its place."""

import gzip
import io
import json
import os
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medtext.errors import UsageError
from medtext.readers import Source, TableColumns, check, count, read
from medtext.schema import Note, Record


def notes(*paths: Path | str, **settings) -> list[Note | Record]:
    return list(read(Source(tuple(map(str, paths)), **settings)))


def code(item: Note | Record) -> str:
    assert isinstance(item, Record)
    assert item.error
    return item.error.code


def test_a_folder_is_walked_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.txt", "ward-3/a.txt", "a.txt", "ward-3/skip.pdf"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"note {name}")
    assert notes(tmp_path) == [Note(name, f"note {name}") for name in ("a.txt", "b.txt", "ward-3/a.txt")]
    assert count(Source((str(tmp_path),))) == 3


@pytest.mark.parametrize(
    "text", ["a\r\nb\rc\nd", "\ufeffwith a mark", "  spaces  \n\n", "ünïcode 🙂", "tab\tand\x0cfeed"]
)
def test_text_is_read_as_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode())
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "a", "text": text}) + "\n")
    with gzip.open(tmp_path / "b.txt.gz", "wb") as out:
        out.write(text.encode())
    assert [note.text for note in notes(tmp_path)] == [text, text]
    assert notes(tmp_path / "a.jsonl") == [Note("a", text)]


def test_rows_of_csv_parquet_and_jsonl_are_notes(tmp_path: Path) -> None:
    rows = [{"id": "1", "text": 'No fever,\r\n"none".'}, {"id": "2", "text": "Cough."}]
    (tmp_path / "a.csv").write_bytes(b'id,text\r\n1,"No fever,\r\n""none""."\r\n2,Cough.\r\n')
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "b.parquet.gz").write_bytes(gzip.compress((tmp_path / "a.parquet").read_bytes()))
    expected = [Note(row["id"], row["text"]) for row in rows]
    for name in ("a.csv", "a.parquet", "a.jsonl", "b.parquet.gz"):
        assert notes(tmp_path / name) == expected, name


def test_columns_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("key,report\n7,Cough.\n")
    assert notes(tmp_path / "a.csv", columns=TableColumns("report", "key")) == [Note("7", "Cough.")]
    assert notes(tmp_path / "a.csv", columns=TableColumns("report")) == [Note("a.csv:1", "Cough.")]


def standard_input(data: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(io.BytesIO(data)))


def test_standard_input_is_json_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", standard_input(b'{"id": "a", "text": "Cough."}\n\n{"text": "Fever."}\n'))
    assert notes("-") == [Note("a", "Cough."), Note("stdin:3", "Fever.")]


@pytest.mark.parametrize("text", ["She has a cough.\r\n", "[**2151-7-16**] Cough.", "\ufeff\nCough {mild}."])
def test_standard_input_that_does_not_begin_with_a_brace_is_one_note(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", standard_input(text.encode()))
    assert notes("-") == [Note("stdin", text)]


@pytest.mark.parametrize(("length", "expected"), [(10, None), (11, "TooLong"), (21, "TooLong")])
def test_what_is_too_long_says_so(tmp_path: Path, length: int, expected: str | None, monkeypatch) -> None:
    monkeypatch.setattr("medtext.readers.limits.LONGEST_NOTE", 10)
    monkeypatch.setattr("medtext.readers.files.LARGEST_FILE", 20)
    (tmp_path / "a.txt").write_text("x" * length)
    (found,) = notes(tmp_path)
    assert found == Note("a.txt", "x" * length) if expected is None else code(found) == expected


def test_another_encoding_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Fièvre".encode("latin-1"))
    assert code(notes(tmp_path)[0]) == "InvalidEncoding"
    assert "Byte 2" in notes(tmp_path)[0].error.message
    assert notes(tmp_path, encoding="latin-1") == [Note("a.txt", "Fièvre")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "EmptyNote"),
        (b" \n\n ", "EmptyNote"),
        (b"\x7fELF\x02\x01\x00\xff\x00\x00", "BinaryFile"),
        ("Cough".encode("utf-16"), "BinaryFile"),
        ("Cough".encode("utf-16-le"), "BinaryFile"),
        (bytes(range(1, 32)) * 20, "BinaryFile"),
    ],
)
def test_what_is_no_note_says_so_and_the_rest_goes_on(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    (tmp_path / "b.txt").write_text("Cough.")
    first, second = notes(tmp_path)
    assert code(first) == expected
    assert second == Note("b.txt", "Cough.")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"id": "a", "text": "half \\ud800 of a pair"}', "LoneSurrogate"),
        ('{"id": "a"}', "MissingText"),
        ('{"id": "a", "text": null}', "MissingText"),
        ('{"id": "a", "text": 7}', "MissingText"),
        ('{"id": "a", "text": "Cough', "InvalidJson"),
        ('["a", "Cough."]', "InvalidJson"),
        ("[" * 100_000, "InvalidJson"),
    ],
)
def test_a_line_that_is_wrong_says_so_and_the_rest_goes_on(tmp_path: Path, line: str, expected: str) -> None:
    (tmp_path / "a.jsonl").write_text(line + '\n{"id": "b", "text": "Cough."}\n')
    first, second = notes(tmp_path / "a.jsonl")
    assert code(first) == expected
    assert second == Note("b", "Cough.")


def test_an_id_that_occurs_again_is_told_from_the_first(tmp_path: Path) -> None:
    ids = ["a", "a", "a#2", "b", "a"]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"id": name, "text": "Cough."}) + "\n" for name in ids))
    found = notes(tmp_path / "a.jsonl")
    assert [item.id for item in found if isinstance(item, Note)] == ["a", "b"]
    assert {item.document_id: code(item) for item in found if isinstance(item, Record)} == dict.fromkeys(
        ("a#2", "a#2#2", "a#3"), "DuplicateId"
    )


def test_a_row_without_text_says_so(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a", "b"], "text": [None, "Cough."]}), tmp_path / "a.parquet")
    first, second = notes(tmp_path / "a.parquet")
    assert code(first) == "MissingText"
    assert second == Note("b", "Cough.")


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_missing_column_is_wrong_usage(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text("key,report\n7,Cough.\n")
    pq.write_table(pa.table({"report": ["Cough."]}), tmp_path / "a.parquet")
    with pytest.raises(UsageError, match="holds the text with --text-column"):
        notes(tmp_path / name)
    with pytest.raises(UsageError, match="no column 'body'"):
        notes(tmp_path / name, columns=TableColumns("body"))


def test_where_some_paths_have_the_column_the_others_say_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("key,report\n7,Cough.\n")
    (tmp_path / "b.csv").write_text("id,text\n7,Cough.\n")
    first, second = notes(tmp_path / "a.csv", tmp_path / "b.csv")
    assert code(first) == "MissingColumn"
    assert second == Note("7", "Cough.")


@pytest.mark.parametrize("header", ["ID,TEXT", "note_id,Note_Text", "\ufeffid,text"])
def test_columns_are_known_in_capitals_and_behind_a_mark(tmp_path: Path, header: str) -> None:
    (tmp_path / "a.csv").write_text(f"{header}\n7,Cough.\n", encoding="utf-8")
    assert notes(tmp_path / "a.csv") == [Note("7", "Cough.")]


def test_the_text_is_not_taken_for_the_id(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ids are written down"):
        notes(tmp_path, columns=TableColumns("text", "text"))


def test_json_lines_may_begin_with_a_mark(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('\ufeff{"id": "a", "text": "\ufeffCough."}\n', encoding="utf-8")
    assert notes(tmp_path / "a.jsonl") == [Note("a", "\ufeffCough.")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252"])
def test_tables_can_be_of_another_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes("id,text\n7,Fièvre.\n".encode(encoding))
    (tmp_path / "a.jsonl").write_bytes('{"id": "8", "text": "Fièvre."}\n'.encode(encoding))
    assert notes(tmp_path / "a.csv", tmp_path / "a.jsonl", encoding=encoding) == [
        Note("7", "Fièvre."),
        Note("8", "Fièvre."),
    ]


def test_a_bad_byte_costs_only_its_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,text\n1,Fi\xe8vre.\n2,Cough.\n")
    (tmp_path / "a.jsonl").write_bytes(b'{"id": "3", "text": "Fi\xe8vre."}\n{"id": "4", "text": "Cough."}\n')
    broken = pa.Array.from_buffers(pa.string(), 2, pa.array([b"Fi\xe8vre.", b"Cough."]).buffers())
    pq.write_table(pa.table({"id": ["5", "6"], "text": broken}), tmp_path / "a.parquet")
    for name, place in (("a.csv", "Byte 2 "), ("a.jsonl", "Byte 23 "), ("a.parquet", "Byte 2 ")):
        first, second = notes(tmp_path / name)
        assert code(first) == "InvalidEncoding", name
        assert first.error.message.startswith(place), name
        assert second.text == "Cough.", name


def test_a_row_of_too_many_fields_does_not_lose_its_end(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,text\n1,Fever, and a cough.\n2,"Fever, and a cough."\n')
    first, second = notes(tmp_path / "a.csv")
    assert code(first) == "InvalidCsv"
    assert second == Note("2", "Fever, and a cough.")


def test_a_table_that_breaks_off_says_so_behind_its_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,text\n1,Cough.\n2,"Fever')
    first, second = notes(tmp_path / "a.csv")
    assert first == Note("1", "Cough.")
    assert code(second) == "InvalidCsv"
    assert "line 3" in second.error.message


def test_a_table_without_a_line_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")
    assert code(notes(tmp_path / "a.csv")[0]) == "EmptyTable"


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_note_of_a_table_that_is_too_long_keeps_its_id(tmp_path: Path, name: str, monkeypatch) -> None:
    monkeypatch.setattr("medtext.readers.limits.LONGEST_NOTE", 200_000)
    long = "fever " * 40_000
    (tmp_path / "a.csv").write_text(f"id,text\na,{long}\nb,Cough.\n")
    rows = [{"id": "a", "text": long}, {"id": "b", "text": "Cough."}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    first, second = notes(tmp_path / name)
    assert (first.document_id, code(first)) == ("a", "TooLong")
    assert second == Note("b", "Cough.")


def test_links_that_lead_nowhere_say_so_and_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to("nowhere")
    (tmp_path / "b.txt").symlink_to(tmp_path)
    (tmp_path / "c").symlink_to(tmp_path)
    (tmp_path / "D.TXT").write_text("Cough.")
    first, second = notes(tmp_path)
    assert first == Note("D.TXT", "Cough.")
    assert (second.document_id, code(second)) == ("a.txt", "UnreadableFile")


def test_folders_are_read_in_the_order_of_whole_paths(tmp_path: Path) -> None:
    names = ["a/b.txt", "a-b/c.txt", "a.txt", "a/b/c.txt", "A.txt", "a b.txt", "é.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Cough.")
    assert [note.id for note in notes(tmp_path)] == sorted(names)


def test_a_folder_that_cannot_be_listed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "z.txt").write_text("Cough.")
    listing = os.scandir

    def scandir(folder: Path):
        if folder.name == "locked":
            _refuse()
        return listing(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    first, second = notes(tmp_path)
    assert (first.document_id, code(first)) == ("locked/", "UnreadableFile")
    assert second == Note("z.txt", "Cough.")


def test_truncated_files_say_so(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["Cough."] * 100}), tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[: len(whole) // 2])
    packed = gzip.compress(json.dumps({"id": "a", "text": "Cough. " * 5000}).encode() + b"\n")
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "a.txt.gz").write_bytes(packed[: len(packed) // 2])
    for name in ("a.parquet", "a.jsonl.gz", "a.txt.gz"):
        assert code(notes(tmp_path / name)[-1]) == "TruncatedFile", name


def test_an_unreadable_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("Cough.")
    monkeypatch.setattr(Path, "open", _refuse)
    assert code(notes(tmp_path / "a.txt")[0]) == "UnreadableFile"


def _refuse(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_what_is_not_there_or_not_known_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no "):
        check(Source((str(tmp_path / "nowhere"),)))
    with pytest.raises(UsageError, match="no encoding"):
        check(Source((str(tmp_path),), encoding="utf-9"))
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(UsageError, match=r"does not read .*a\.pdf"):
        notes(tmp_path / "a.pdf")
