"""Every note that goes in comes out once, in order, whatever happens to it and however many workers there are."""

import contextlib
import multiprocessing
import os
import random
import signal
import time
from concurrent.futures import Future
from dataclasses import replace

import pytest

import medtext
from medtext.config import Config
from medtext.engines import local
from medtext.engines.local import CHARACTERS, NOTES, Job, alarm, batches, run
from medtext.errors import ModelError, NoteError, UsageError, WorkerError
from medtext.schema import Failure, Note, Record
from tests import fakes

QUIET = [Note(f"n{number}", f"Note {number}: fever. " * (number % 5 + 1)) for number in range(150)]
BROKEN = Record("bad.txt", error=Failure("EmptyNote", "The note is empty."))


def results(notes, **job):
    return list(run(notes, Config(), Job(builder=fakes.build, **job)))


def codes(records):
    return {record.document_id: record.error.code for record in records if record.error}


def test_records_are_those_of_one_process_whatever_the_workers() -> None:
    mixed = [*QUIET[:70], BROKEN, Note("b", "BREAK"), *QUIET[70:]]
    alone = results(mixed)
    assert [record.document_id for record in alone] == [
        note.document_id if isinstance(note, Record) else note.id for note in mixed
    ]
    assert results(mixed, workers=2) == alone


@pytest.mark.parametrize("workers", [1, 2])
def test_notes_that_die_hang_or_do_not_wake_up_cost_only_themselves(workers: int) -> None:
    bad = {"killer": "WorkerDied", "slow": "Timeout", "stuck": "Timeout", "breaks": "InternalError"}
    texts = {"killer": "DIE", "slow": "HANG", "stuck": "STUCK", "breaks": "BREAK"}
    notes = [*QUIET[:3], *(Note(name, text) for name, text in texts.items()), BROKEN, *QUIET[3:6]]
    found = results(notes, workers=workers, timeout=1.0)
    assert [record.document_id for record in found] == [
        note.document_id if isinstance(note, Record) else note.id for note in notes
    ]
    assert codes(found) == {**bad, "bad.txt": "EmptyNote"}


def test_a_worker_that_dies_costs_only_its_note_without_a_timeout() -> None:
    notes = [*QUIET[:5], Note("killer", "DIE"), *QUIET[5:10]]
    found = results(notes, workers=2)
    assert [record.document_id for record in found] == [note.id for note in notes]
    assert codes(found) == {"killer": "WorkerDied"}


def test_workers_that_are_killed_cost_nothing() -> None:
    """At any time: while they start, read a note, send its record, or have nothing to do."""
    notes = [Note(f"n{number}", f"SLOW note {number}: fever. " * (number % 30 + 1)) for number in range(800)]
    chance = random.Random(39)
    kills = set(chance.sample(range(len(notes)), 8))
    found, killed = [], 0
    for place, record in enumerate(run(notes, Config(), Job(2, builder=fakes.build))):
        if place in kills and (workers := [one.pid for one in multiprocessing.active_children()]):
            time.sleep(chance.random() / 5)
            with contextlib.suppress(ProcessLookupError):  # it is being replaced
                os.kill(chance.choice(workers), signal.SIGKILL)
                killed += 1
        found.append(record)
    assert killed >= 5
    assert found == results([replace(note, text=note.text.replace("SLOW", "slow")) for note in notes])


@pytest.mark.parametrize("keeps", [True, False])
def test_a_pipeline_is_built_anew_where_spacy_keeps_words(keeps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def build(config):
        built.append(config)
        return fakes.build(config)

    monkeypatch.setattr(local, "keeps_words", lambda: keeps)
    monkeypatch.setattr(local, "LIFE", 40)
    assert list(run(QUIET, Config(), Job(builder=build))) == results(QUIET)
    assert len(built) == (4 if keeps else 1)


def test_workers_that_end_at_once_are_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "BROKEN", 2)
    with pytest.raises(WorkerError, match="end before they have read a note"):
        list(run(QUIET, Config(), Job(2, builder=fakes.build_nothing)))


def test_a_loaded_pipeline_keeps_a_timeout_in_this_process() -> None:
    before = signal.getsignal(signal.SIGALRM)
    notes = [Note("a", "fever"), Note("slow", "HANG"), Note("b", "fever")]
    found = list(run(notes, Config(), Job(timeout=0.5), fakes.build(None)))
    assert [record.document_id for record in found] == ["a", "slow", "b"]
    assert codes(found) == {"slow": "Timeout"}
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_an_alarm_that_is_over_rings_no_more() -> None:
    with alarm(60):
        pass
    with pytest.raises(NoteError, match=r"longer than 1e-06 seconds"), alarm(1e-6):
        fakes.hang()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_that_is_not_there_is_one_error_and_not_one_a_note(workers: int) -> None:
    with pytest.raises(ModelError, match="no such model"):
        list(run(QUIET, Config(), Job(workers, builder=fakes.build_none)))


@pytest.mark.parametrize(("workers", "timeout"), [(0, None), (1, 0.0), (1, -1.0), (1, float("nan")), (1, 1e12)])
def test_jobs_that_cannot_be_are_wrong_usage(workers: int, timeout: float | None) -> None:
    with pytest.raises(UsageError):
        Job(workers, timeout)


def test_a_loaded_pipeline_is_not_shared_among_workers() -> None:
    with pytest.raises(UsageError, match="leave nlp out"):
        medtext.stream([("a", "fever")], workers=2, nlp=fakes.build(None))


def test_notes_are_read_as_they_are_needed() -> None:
    read = []

    def source():
        for note in QUIET * 20:
            read.append(note)
            yield note

    records = run(source(), Config(), Job(builder=fakes.build))
    next(records)
    assert len(read) <= NOTES
    read.clear()
    several = run(source(), Config(), Job(workers=2, builder=fakes.build))
    next(several)
    assert len(read) < len(QUIET) * 10
    several.close()


def test_batches_hold_every_note_once_and_about_as_many_characters() -> None:
    notes = [Note(str(number), "x" * length) for number, length in enumerate([10, CHARACTERS, 5, 5] + [1] * 200)]
    found = list(batches(notes))
    assert [note for batch in found for note in batch] == notes
    assert all(len(batch) <= NOTES for batch in found)
    assert len(found[0]) == 2


class Schedule:
    """A pool that takes every batch and does none."""

    def schedule(self, *_: object, **__: object) -> Future:
        return Future()


def test_a_batch_goes_to_the_worker_that_has_least_left_to_do(monkeypatch) -> None:
    monkeypatch.setattr(local.Crew, "_pool", lambda _self: Schedule())
    crew = local.Crew(Config(), Job(workers=2))
    first, second, third = (crew.submit([]) for _ in range(3))
    assert [first.worker, second.worker, third.worker] == [0, 1, 0]
    for task in (first, third):
        task.future.set_result([])  # done, and waiting for their turn in the output
    assert crew.submit([]).worker == 0
