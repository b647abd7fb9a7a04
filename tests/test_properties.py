"""What holds for every text: offsets fit, ids are told apart, and the same text gives the same bytes."""

import json
import os
import subprocess
import sys
from time import process_time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import medtext
from medtext.config import Config
from medtext.engines.local import Job, run
from medtext.errors import UsageError
from medtext.schema import Note, Record
from tests.conftest import ROOT, SAMPLES

LINES = [
    line for path in sorted(SAMPLES.glob("*.txt")) for line in path.read_text(encoding="utf-8").splitlines() if line
]
ODD = [
    "",
    " ",
    "\n\n",
    "\t",
    "\r\n",
    "\u2028",
    "\ufeff",
    "🙂",
    "é",
    "e\u0301",
    "(",
    ")",
    ":",
    "..",
    "½",
    "µ",
    "1/2",
    "\x0b",
    "İ",
]
texts = st.lists(st.sampled_from(LINES + ODD * 5) | st.text(max_size=12), max_size=12).map("".join)
notes = st.lists(texts, max_size=6)
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NLP = medtext.load()


@relaxed
@given(texts)
def test_offsets_fit_and_ids_are_told_apart(text: str) -> None:
    record = medtext.extract(text, nlp=NLP)
    if record.error:
        assert record.error.code in ("EmptyNote", "BinaryFile", "LoneSurrogate")
        return
    assert record.characters == len(text)
    for span in record.spans():
        assert 0 <= span.begin < span.end <= len(text)
        assert span.text(text) == span.text(text).strip()
    keys = [(one.begin, one.end, one.category) for one in record.entities]
    assert keys == sorted(keys)
    ids = [one.id for one in (*record.entities, *record.unmapped_attributes)]
    assert len(ids) == len(set(ids))
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


@relaxed
@given(notes)
def test_every_note_comes_out_once_and_neighbours_change_nothing(several: list[str]) -> None:
    named = [Note(str(number), text) for number, text in enumerate(several)]
    together = list(run(named, Config(), Job(), NLP))
    assert [record.document_id for record in together] == [note.id for note in named]
    alone = [medtext.extract(note.text, nlp=NLP, document_id=note.id) for note in named]
    assert together == alone
    assert list(run(reversed(named), Config(), Job(), NLP)) == together[::-1]


def test_spans_of_the_callers_are_kept_and_get_traits() -> None:
    text = "She denies chest pain."
    record = medtext.extract(text, nlp=NLP, spans=[(11, 21, "DX_NAME")])
    assert [(one.begin, one.end, one.type) for one in record.entities] == [(11, 21, "DX_NAME")]
    assert "NEGATION" in {trait.name for trait in record.entities[0].traits}
    assert not medtext.extract(text, nlp=NLP, spans=[]).entities
    blank = medtext.extract(text, nlp=NLP, spans=[(3, 4, "DX_NAME")])
    assert [(one.begin, one.end) for one in blank.entities] == [(3, 4)]


@pytest.mark.parametrize("text", [7, 0.5, float("nan"), b"She has fever.", ["She has fever."]])
def test_what_is_no_text_is_a_record_that_says_so(text: object) -> None:
    error = medtext.extract(text, nlp=NLP).error
    assert error.code == "MissingText"
    assert error.message == f"The note is of type {type(text).__name__} and not a string."


def test_spans_count_in_whole_numbers_of_any_kind() -> None:
    text = "She denies chest pain."
    record = medtext.extract(text, nlp=NLP, spans=[(np.int64(11), np.int64(21), "DX_NAME")])
    assert json.loads(json.dumps(record.to_json()))["Entities"][0]["EndOffset"] == 21
    for wrong in (11.0, "11", None):
        with pytest.raises(UsageError, match="is wrong"):
            medtext.extract(text, nlp=NLP, spans=[(wrong, 21, "DX_NAME")])


def test_a_model_is_not_a_config() -> None:
    with pytest.raises(UsageError, match="A Config is needed, not 'accurate'; a model is named by model="):
        medtext.load("accurate")


@pytest.mark.parametrize("unit", ["no fever ", "3/14 ", "Smith ", "Lasix 40 mg PO BID prn pain x 10 days, ", "[NAME] "])
def test_time_grows_with_the_note_and_no_faster(unit: str) -> None:
    begin = process_time()
    medtext.extract(unit * (40_000 // len(unit)), nlp=NLP)
    assert process_time() - begin < 20


def test_the_same_notes_give_the_same_bytes() -> None:
    outputs = set()
    for seed, workers in (("1", "1"), ("2", "1"), ("3", "2")):
        command = [sys.executable, "-m", "medtext", "extract", str(SAMPLES), "-o", "-", "--workers", workers]
        done = subprocess.run(
            command, capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, check=True
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert len(outputs.pop().splitlines()) == len(list(SAMPLES.glob("*.txt")))
