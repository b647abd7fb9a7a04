"""The page has the numbers of the records, and nothing of the notes."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import medtext
from medtext.cli import app
from medtext.errors import UsageError
from medtext.report import NOTE_BARS, SCORE_BARS, Counts, count, page
from medtext.schema import Failure, Record
from medtext.writers.parquet import SCHEMA
from tests.conftest import ROOT
from tests.test_privacy import NOTE, search

SAMPLES = ROOT / "samples" / "records"
FAILED = [Record(name, error=Failure("EmptyNote", "The note is empty.")) for name in ("bad <1>.txt", "bad2.txt")]
ROWS = [
    *(json.loads(path.read_text(encoding="utf-8")) for path in sorted(SAMPLES.iterdir())),
    *(record.to_json() for record in FAILED),
]
ENTITIES = [entity for row in ROWS for entity in row.get("Entities", ())]


class Tables(HTMLParser):
    """The rows of the page's tables, by the heading above them: label and number."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.rows: dict[str, dict[str, int]] = {}
        self._tag, self._title, self._label = "", "", ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self._tag = tag

    def handle_data(self, data: str) -> None:
        if self._tag == "h2":
            self._title = data
        elif self._tag == "th":
            self._label = data
        elif self._tag == "td":
            self.rows.setdefault(self._title, {})[self._label] = int(data.replace(",", ""))
        self._tag = ""


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "records.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def test_the_numbers_on_the_page_are_those_of_the_records(lines: Path) -> None:
    shown = Tables(page(count(lines))).rows
    assert shown["Entities by type"] == Counter(entity["Type"] for entity in ENTITIES)
    assert shown["Traits"] == Counter(trait["Name"] for entity in ENTITIES for trait in entity["Traits"])
    assert shown["Protected health information"] == Counter(
        entity["Subtype"] for entity in ENTITIES if "Subtype" in entity
    )
    assert shown["Attributes"] == Counter(
        [
            attribute["Type"]
            for entity in ENTITIES
            if entity["Category"] != "TIME_EXPRESSION"
            for attribute in entity["Attributes"]
        ]
        + [item["Attribute"]["Type"] for row in ROWS for item in row.get("UnmappedAttributes", ())]
    )
    sections = Counter(entity["Section"] or "(none)" for entity in ENTITIES)
    assert sum(shown["Sections"].values()) == len(ENTITIES)
    assert all(sections[name] == number for name, number in shown["Sections"].items() if not name.endswith(" more"))
    assert sum(shown["Entities of a note"].values()) == len(ROWS) - 2
    assert shown["Failures"] == {"EmptyNote": 2}


def test_the_tiles_and_the_scores(lines: Path) -> None:
    counts = count(lines)
    content = page(counts)
    characters = sum(row.get("Characters", 0) for row in ROWS)
    for number, said in (
        (len(ROWS), "notes"),
        (2, "failed"),
        (characters, "characters read"),
        (len(ENTITIES), "entities"),
    ):
        assert f"<b>{number:,}</b> <span>{said}</span>" in content
    titles = re.findall(r"<title>([\d.]+) to [\d.]+: ([\d,]+)</title>", content)
    scores = Counter(int(entity["Score"] * SCORE_BARS) for entity in ENTITIES)
    assert [int(number.replace(",", "")) for _, number in titles] == [scores[place] for place in range(SCORE_BARS)]


@pytest.mark.parametrize("entities", [0, 1, 4, 5, 199, 200, 5000])
def test_every_note_has_its_bar(entities: int) -> None:
    counts = Counts()
    row = {"DocumentId": "a", "Characters": 1, "ModelVersion": "1", "UnmappedAttributes": []}
    counts.add({**row, "Entities": [ENTITIES[0]] * entities})
    (start,) = counts.sizes
    assert start <= entities < (*NOTE_BARS, float("inf"))[NOTE_BARS.index(start) + 1]


@pytest.mark.parametrize("kind", ["json", "lines", "line shards", "parquet", "parquet shards", "spark's json"])
def test_any_output_of_extract_is_read(kind: str, lines: Path, tmp_path: Path) -> None:
    expected = page(count(lines))
    out = tmp_path / "out"
    (out / ".medtext").mkdir(parents=True)
    (out / ".medtext/job.json").write_text("{}")
    (out / "manifest.json").write_text('{"Summary": {}}')
    (out / "_SUCCESS").write_text("")
    table = pa.Table.from_pylist(ROWS, schema=SCHEMA)
    text = lines.read_text().splitlines(keepends=True)
    if kind == "json":
        (out / "ward").mkdir()
        for number, row in enumerate(ROWS):
            (out / f"ward/{number}.json").write_text(json.dumps(row, indent=1) + "\n")
    elif kind == "lines":
        out = lines
    elif kind == "line shards":
        (out / "records-00000.jsonl").write_text("".join(text[:5]))
        (out / "records-00001.jsonl").write_text("".join(text[5:]))
    elif kind == "spark's json":
        (out / "part-00000-abc.json").write_text("".join(text))
    elif kind == "parquet":
        shutil.rmtree(out)
        out = tmp_path / "out.parquet"
        pq.write_table(table, out)
    else:
        pq.write_table(table.slice(0, 5), out / "records-00000.parquet")
        pq.write_table(table.slice(5), out / "records-00001.parquet")
    assert page(count(out)) == expected


def test_concepts_are_shown_by_their_code(tmp_path: Path) -> None:
    concept = {"Code": "R07.9", "Description": "Chest <pain>, unspecified", "Score": 0.8}
    entity = {**ENTITIES[0], "ICD10CMConcepts": [concept, {"Code": "I10", "Score": 0.1}]}
    row = {"DocumentId": "a", "Characters": 99, "ModelVersion": "1", "Entities": [entity], "UnmappedAttributes": []}
    (tmp_path / "r.jsonl").write_text(json.dumps(row))
    content = page(count(tmp_path / "r.jsonl"))
    assert Tables(content).rows["Top concepts: ICD-10-CM"] == {"R07.9 Chest <pain>, unspecified": 1}
    assert "<pain>" not in content
    assert "I10" not in content


def test_throughput_is_that_of_the_log(lines: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    events = [{"event": "start"}, {"seconds": 10.0, "notes": 1000}, {"seconds": 20.0, "notes": 4000}]
    log.write_text("no JSON\n" + "".join(json.dumps(event) + "\n" for event in events))
    content = page(count(lines, log))
    assert "<b>200.0</b> <span>notes a second</span>" in content
    assert "Notes a second over 20 seconds, 300 at most" in content
    assert "<h2>Throughput</h2>" not in page(count(lines))


def test_no_text_is_on_the_page_and_no_id_unless_asked(tmp_path: Path, nlp) -> None:
    record = medtext.extract(NOTE, nlp=nlp, document_id="canary-ward")
    (tmp_path / "out.jsonl").write_text("".join(json.dumps(r.to_json()) + "\n" for r in [record, *FAILED]))
    counts = count(tmp_path / "out.jsonl")
    assert counts.types
    for ids in (False, True):
        search(page(counts, ids).encode(), "the page")
    assert "canary-ward" not in page(counts, ids=True)
    assert "bad" not in re.sub(r"<style>.*?</style>|class=\"bad\"", "", page(counts), flags=re.DOTALL)
    assert "bad &lt;1&gt;.txt (EmptyNote)" in page(counts, ids=True)


def test_the_page_loads_nothing(lines: Path) -> None:
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", page(count(lines), ids=True))


@pytest.mark.parametrize("content", ["", "{torn\n", "[]\n", '{"DocumentId": "a"}\n'])
def test_what_is_no_record_is_wrong_usage(content: str, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text(content)
    with pytest.raises(UsageError):
        count(tmp_path / "out.jsonl")
    with pytest.raises(UsageError):
        count(tmp_path / "nowhere")
    (tmp_path / "out.parquet").write_text(content)
    with pytest.raises(UsageError):
        count(tmp_path / "out.parquet")


def test_the_command_writes_a_page_and_overwrites_none(lines: Path, tmp_path: Path) -> None:
    arguments = ["report", str(lines), "-o", str(tmp_path / "page.html")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page(count(lines))
    assert isinstance(CliRunner().invoke(app, arguments).exception, UsageError)
