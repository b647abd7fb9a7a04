"""Spark gives the records of the local engine, typed, without a shuffle and without the text."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import medtext
from medtext.cli import app
from medtext.engines import spark as engine
from medtext.errors import ModelError, UsageError
from medtext.writers.parquet import SCHEMA
from tests.conftest import ROOT, SAMPLES
from tests.test_privacy import NOTE, run, search

try:
    import pyspark  # noqa: F401

    READY = engine.has_java()
except ModuleNotFoundError:
    READY = False

# One group: with `--dist loadgroup` one worker of pytest-xdist, and so one Java, has them all.
needs_spark = [
    pytest.mark.spark,
    pytest.mark.xdist_group("spark"),
    pytest.mark.skipif(not READY, reason="needs pyspark and Java 17"),
]
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(SAMPLES.iterdir())}
ROWS = [
    *({"note": text, "name": name} for name, text in TEXTS.items()),
    {"note": None, "name": "no_text"},
    {"note": " \n", "name": "empty"},
    {"note": "\0" * 50, "name": "binary"},
    {"note": "No fever.", "name": None},
]


@pytest.fixture(scope="module")
def session():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        with engine.session(2) as spark:
            yield spark


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spark") / "notes.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


def records(df) -> dict[str, dict]:
    """The rows as the local engine writes them in Parquet, by id."""
    return {row["DocumentId"]: row for row in (row.asDict(recursive=True) for row in df.collect())}


def expected(notes: dict[str, str], nlp) -> dict[str, dict]:
    rows = [record.to_json() for record in medtext.stream(notes.items(), nlp=nlp)]
    return {row["DocumentId"]: row for row in pa.Table.from_pylist(rows, schema=SCHEMA).to_pylist()}


class TestDataFrames:
    pytestmark = needs_spark

    def test_records_are_those_of_the_local_engine_and_failures_are_rows(self, session, table: Path, nlp) -> None:
        found = medtext.spark.extract(session.read.parquet(str(table)), "note", "name")
        rows = records(found)
        assert {name: rows[name] for name in TEXTS} == expected(TEXTS, nlp)
        assert {name: row["Error"]["Code"] for name, row in rows.items() if row["Error"]} == {
            "no_text": "MissingText",
            "empty": "EmptyNote",
            "binary": "BinaryFile",
        }
        (nameless,) = rows.keys() - {row["name"] for row in ROWS}
        assert re.fullmatch(r"partition-\d+:\d+", nameless)
        assert rows[nameless]["Entities"][0]["Type"] == "DX_NAME"

    def test_the_columns_are_those_of_medtexts_parquet(self, session, table: Path, tmp_path: Path) -> None:
        found = medtext.spark.extract(session.read.parquet(str(table)).limit(1), "note", "name")
        assert found.columns == SCHEMA.names
        found.write.parquet(str(tmp_path / "out"))
        written = pq.read_schema(next((tmp_path / "out").glob("*.parquet")))
        assert [(field.name, str(field.type)) for field in written] == [
            (field.name, str(field.type).replace("item:", "element:")) for field in SCHEMA
        ]

    def test_no_row_moves_and_no_text_comes_out(self, session, table: Path) -> None:
        notes = session.read.parquet(str(table)).repartition(2)
        assert "Exchange" in plan(notes)
        found = medtext.spark.extract(session.read.parquet(str(table)), "note", "name")
        assert not re.search("Exchange|Sort|InMemoryTableScan", plan(found))
        assert "note" not in found.columns

    @pytest.mark.parametrize("kind", ["csv", "json"])
    def test_any_of_sparks_sources_will_do(self, session, kind: str, tmp_path: Path, nlp) -> None:
        path = str(tmp_path / "notes")
        rows = [(name, text.strip()) for name, text in list(TEXTS.items())[:2]]
        writer = session.createDataFrame(rows, "id string, text string").write
        options = {"header": True, "escape": '"', "multiLine": True} if kind == "csv" else {}
        writer.options(**options).format(kind).save(path)
        notes = session.read.options(**options).format(kind).load(path)
        notes.createOrReplaceTempView("notes")
        assert records(medtext.spark.extract(session.table("notes"))) == expected(dict(rows), nlp)

    def test_what_is_kept_can_be_narrowed_and_a_timeout_holds(self, session, table: Path) -> None:
        notes = session.read.parquet(str(table)).where("name = 'progress_note.txt'")
        config = medtext.Config(categories=("MEDICATION",), min_score=0.5)
        (row,) = records(medtext.spark.extract(notes, "note", "name", config)).values()
        assert {entity["Category"] for entity in row["Entities"]} == {"MEDICATION"}
        (row,) = records(medtext.spark.extract(notes, "note", "name", timeout=1e-6)).values()
        assert row["Error"]["Code"] == "Timeout"

    def test_ids_are_optional_numbers_or_odd_names(self, session) -> None:
        notes = session.createDataFrame([(7, "No fever.")], "`a.b` long, text string")
        assert list(records(medtext.spark.extract(notes, id="a.b"))) == ["7"]
        assert list(records(medtext.spark.extract(notes.coalesce(1), id=None))) == ["partition-0:1"]

    def test_the_example_of_the_docs_runs(self, session, tmp_path: Path) -> None:
        (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/spark.md").read_text(encoding="utf-8"), re.DOTALL)
        pq.write_table(pa.Table.from_pylist([{"id": "a", "text": "No fever."}]), tmp_path / "notes.parquet")
        exec(re.sub(r'"(\w+\.parquet)"', lambda name: repr(str(tmp_path / name[1])), code), {})
        (row,) = pq.read_table(tmp_path / "records.parquet").to_pylist()
        assert row["Entities"][0]["Type"] == "DX_NAME"

    def test_wrong_columns_are_wrong_usage(self, session) -> None:
        notes = session.createDataFrame([("a", "No fever.")], "id string, text string")
        with pytest.raises(UsageError, match="no column 'body'"):
            medtext.spark.extract(notes, "body")
        with pytest.raises(UsageError, match="ids are written down"):
            medtext.spark.extract(notes, "id", "id")

    def test_a_worker_that_breaks_down_does_not_quote(self, session) -> None:
        notes = session.createDataFrame([("a", NOTE)], "id string, text string")
        found = medtext.spark.extract(notes, config=medtext.Config("no-such-model"))
        with pytest.raises(Exception, match="no-such-model") as caught:
            found.collect()
        search(str(caught.value).encode(), "the exception")


def plan(df) -> str:
    return df._jdf.queryExecution().executedPlan().toString()


class TestCommandLine:
    pytestmark = needs_spark

    def test_the_output_is_that_of_the_local_engine_to_the_byte(self, tmp_path: Path, session) -> None:
        with gzip.open(tmp_path / "notes.jsonl.gz", "wt") as lines:
            lines.writelines(json.dumps(row) + "\n" for row in [*ROWS, *ROWS[:1]])
            lines.write("{torn\n")
        sources = [str(SAMPLES), str(tmp_path / "notes.jsonl.gz")]
        written = {}
        for name in ("local", "spark"):
            out = tmp_path / f"{name}.jsonl"
            options = ["--engine", name, "--id-column", "name", "--hash-ids"]
            options += ["--workers", "2"] if name == "spark" else []
            done = CliRunner().invoke(app, ["extract", *sources, "-o", str(out), *options])
            assert done.exit_code == 3, done.output
            written[name] = out.read_bytes()
        assert written["spark"] == written["local"]
        assert len(written["spark"].splitlines()) == len(TEXTS) + len(ROWS) + 2

    def test_no_text_is_left_anywhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "notes").mkdir()
        for name, text in {"a": NOTE, "b": NOTE + "\x07" * 300, "c": NOTE + "\0" * 200}.items():
            (tmp_path / f"notes/{name}.txt").write_text(text)
        monkeypatch.setenv("SPARK_LOCAL_DIRS", str(tmp_path / "left/tmp"))
        run(tmp_path, "extract", str(tmp_path / "notes"), "-o", "out.jsonl", "--engine", "spark", "--timeout", "60")
        assert len((tmp_path / "left/cwd/out.jsonl").read_text().splitlines()) == 3

    def test_a_model_that_is_not_there_is_one_sentence(self, tmp_path: Path) -> None:
        arguments = ["extract", str(SAMPLES), "-o", str(tmp_path / "out.jsonl"), "--engine", "spark", "--model", "none"]
        assert isinstance(CliRunner().invoke(app, arguments).exception, ModelError)


@pytest.mark.parametrize(
    ("arguments", "says"), [(["--engine", "flink"], "no engine"), (["--engine", "spark", "--resume"], "not resume")]
)
def test_engines_that_there_are_not(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["extract", str(SAMPLES), "-o", str(tmp_path / "out.jsonl"), *arguments])
    assert isinstance(done.exception, UsageError)
    assert says in str(done.exception)


@pytest.mark.parametrize(
    "version", [None, 'openjdk version "11.0.2"', 'java version "1.8.0_292"', 'openjdk version "17.0.15"']
)
def test_java_is_asked_for_in_a_sentence(version: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setattr("pyspark.sql.SparkSession.getActiveSession", lambda: None)
    if version:
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/java").write_text(f"#!/bin/sh\necho '{version}' >&2\n")
        (tmp_path / "bin/java").chmod(0o755)
    if version and "17" in version:
        assert engine.has_java()
        return
    with pytest.raises(UsageError, match="Spark needs Java 17; install it and set JAVA_HOME"), engine.session(1):
        pass
