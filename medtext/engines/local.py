"""Notes into records on this machine: in this process, or in worker processes that each build the pipeline once.

Texts go to the workers and plain records come back, in batches by characters, in the order of the notes. A worker that
dies or hangs costs only the note it was at: its batch is read again one note at a time.
"""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import TimeoutError as NotInTime
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from pebble import ProcessExpired, ProcessPool

from medtext.annotate import annotate, one
from medtext.config import Config
from medtext.errors import NoteError
from medtext.schema import Failure, Note, Record

if TYPE_CHECKING:
    from spacy.language import Language

CHARACTERS = 60_000  # of a batch
NOTES = 64  # of a batch, at most
AHEAD = 3  # batches read ahead, a worker
LIVES = 200  # batches after which a worker is replaced, where spaCy cannot forget (see `annotate.BATCH`)
START_SECONDS = 180.0  # allowed a new worker for building its pipeline, beside the notes' own time
GRACE = 1.5  # how much later than its own alarm a worker is stopped from outside

Builder = Callable[[Config], "Language"]


@dataclass(frozen=True, slots=True)
class Job:
    """How the work is done; it does not change what comes out.

    `timeout` are the seconds a note may take, or None. `builder` makes the pipeline in each process; tests bring theirs.
    """

    workers: int = 1
    timeout: float | None = None
    builder: Builder | None = None


def run(notes: Iterable[Note | Record], config: Config, job: Job, nlp: Language | None = None) -> Iterator[Record]:
    """A record for each note, in order, in bounded memory. `nlp` serves where one process does the work."""
    if job.workers > 1:
        yield from _pool(notes, config, job)
        return
    nlp = nlp or _builder(job)(config)
    if job.timeout is None or threading.current_thread() is not threading.main_thread():
        yield from annotate(nlp, notes, config)
    else:
        yield from _timed(nlp, notes, config, job.timeout)


def _builder(job: Job) -> Builder:
    if job.builder:
        return job.builder
    from medtext.pipeline import build

    return build


def _timed(nlp: Language, notes: Iterable[Note | Record], config: Config, timeout: float) -> Iterator[Record]:
    for note in notes:
        if isinstance(note, Record):
            yield note
            continue
        try:
            with alarm(timeout):
                record = one(nlp, note, config)
        except NoteError as error:
            record = Record(note.id, error=Failure(error.code, str(error)))
        yield record


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raises `NoteError` in the main thread when `seconds` are over (where the system has alarms)."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(_number: int, _frame: Any) -> None:
        raise NoteError("Timeout", f"The note took longer than {seconds:g} seconds.")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# In the workers. One pipeline a process, built by the first batch.
_built: dict[str, Language] = {}


def _work(batch: Sequence[Note | Record], config: Config, job: Job) -> list[Record]:
    """A batch's records."""
    if "nlp" not in _built:
        _built["nlp"] = _builder(job)(config)
    return list(run(batch, config, Job(timeout=job.timeout), _built["nlp"]))


def _pool(notes: Iterable[Note | Record], config: Config, job: Job) -> Iterator[Record]:
    pool = ProcessPool(max_workers=job.workers, max_tasks=LIVES, context=get_context("spawn"))
    waiting: deque[tuple[list[Note | Record], Any]] = deque()
    submit = partial(_submit, pool, config, job)
    try:
        for batch in batches(notes):
            waiting.append((batch, submit(batch)))
            if len(waiting) > job.workers * AHEAD:
                yield from _results(*waiting.popleft(), submit)
        while waiting:
            yield from _results(*waiting.popleft(), submit)
    finally:
        pool.stop()
        pool.join()


def _submit(pool: ProcessPool, config: Config, job: Job, batch: list[Note | Record]) -> Any:
    limit = None if job.timeout is None else START_SECONDS + GRACE * job.timeout * len(batch)
    return pool.schedule(_work, args=(batch, config, job), timeout=limit)


def _results(batch: list[Note | Record], future: Any, submit: Callable[[list[Note | Record]], Any]) -> Iterator[Record]:
    """The batch's records; where its worker died or hung, those of its notes one by one."""
    try:
        yield from future.result()
    except (ProcessExpired, NotInTime) as error:
        if len(batch) > 1:
            for note in batch:
                yield from _results([note], submit([note]), submit)
        else:
            yield _lost(batch[0], error)


def _lost(note: Note | Record, error: Exception) -> Record:
    if isinstance(note, Record):
        return note
    if isinstance(error, NotInTime):
        return Record(note.id, error=Failure("Timeout", "The note took too long, and its worker was stopped."))
    return Record(note.id, error=Failure("WorkerDied", "The worker that read this note died; it may need more memory."))


def batches(notes: Iterable[Note | Record]) -> Iterator[list[Note | Record]]:
    """Notes in batches of about `CHARACTERS`: notes differ a hundredfold in length."""
    batch: list[Note | Record] = []
    size = 0
    for note in notes:
        batch.append(note)
        size += len(note.text) if isinstance(note, Note) else 0
        if size >= CHARACTERS or len(batch) >= NOTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
