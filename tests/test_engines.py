"""Every note that goes in comes out once, in order, whatever happens to it and however many workers there are."""

import pytest

from medtext.annotate import annotate
from medtext.config import Config
from medtext.engines.local import CHARACTERS, NOTES, Job, batches, run
from medtext.schema import Failure, Note, Record
from tests import fakes

QUIET = [Note(f"n{number}", f"Note {number}: fever. " * (number % 5 + 1)) for number in range(150)]
BROKEN = Record("bad.txt", error=Failure("EmptyNote", "The note is empty."))


def results(notes, **job):
    return list(run(notes, Config(), Job(builder=fakes.build, **job)))


def test_a_note_that_breaks_the_pipeline_is_an_error_that_does_not_quote_it() -> None:
    notes = [Note("a", "fever"), Note("b", "BREAK secret-canary"), BROKEN, Note("c", "fever")]
    first, second, third, fourth = annotate(fakes.build(None), notes, Config())
    assert first.entities[0].type == fourth.entities[0].type == "DX_NAME"
    assert second.error == Failure("InternalError", "The note could not be read (RuntimeError).")
    assert third is BROKEN


def test_records_are_those_of_one_process_whatever_the_workers() -> None:
    mixed = [*QUIET[:70], BROKEN, Note("b", "BREAK"), *QUIET[70:]]
    alone = results(mixed)
    assert [record.document_id for record in alone] == [
        note.document_id if isinstance(note, Record) else note.id for note in mixed
    ]
    assert results(mixed, workers=2) == alone


def test_a_worker_that_dies_costs_only_its_note() -> None:
    notes = [*QUIET[:5], Note("killer", "DIE"), *QUIET[5:10]]
    found = results(notes, workers=2)
    assert [record.document_id for record in found] == [note.id for note in notes]
    assert [record.error.code for record in found if record.error] == ["WorkerDied"]
    assert found[5].document_id == "killer"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_note_that_takes_too_long_is_stopped(workers: int) -> None:
    notes = [Note("a", "fever"), Note("slow", "HANG"), Note("b", "fever")]
    found = results(notes, workers=workers, timeout=1.0)
    assert [record.document_id for record in found] == ["a", "slow", "b"]
    assert [record.error.code if record.error else None for record in found] == [None, "Timeout", None]


def test_notes_are_read_as_they_are_needed() -> None:
    read = []

    def source():
        for note in QUIET * 20:
            read.append(note)
            yield note

    records = run(source(), Config(), Job(builder=fakes.build))
    next(records)
    assert len(read) < len(QUIET) * 10


def test_batches_hold_every_note_once_and_about_as_many_characters() -> None:
    notes = [Note(str(number), "x" * length) for number, length in enumerate([10, CHARACTERS, 5, 5] + [1] * 200)]
    found = list(batches(notes))
    assert [note for batch in found for note in batch] == notes
    assert all(len(batch) <= NOTES for batch in found)
    assert len(found[0]) == 2
