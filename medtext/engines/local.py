"""Notes into records on this machine: in this process, or in worker processes that each build the pipeline once.

Texts go to the workers and plain records come back, in batches by characters, in the order of the notes. A worker that
dies or hangs costs only the note it was at: its batch is read again one note at a time.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import chain, islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeAlias

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from medtext.annotate import BATCH, Guard, annotate
from medtext.config import Config
from medtext.errors import NoteError, UsageError, WorkerError
from medtext.readers.limits import Read, failure
from medtext.schema import Note, Record

if TYPE_CHECKING:
    from spacy.language import Language

CHARACTERS = 60_000  # of a batch
NOTES = BATCH  # of a batch, at most
AHEAD = 3  # batches read ahead, a worker
LIVES = 200  # batches after which a worker is replaced, where spaCy cannot forget
LIFE = 20_000  # notes after which a pipeline is, likewise
LONGEST = 1_000_000  # seconds of a timeout; clocks of the system do not take any number
GRACE = 1.0  # seconds, or half the limit where that is more, from a note's alarm to the end of its worker
HANGED = 1  # the exit status of a worker that `lifeline` ended
BROKEN = 10  # workers that may end before any has done anything

Builder = Callable[[Config], "Language"]
Future: TypeAlias = "ProcessFuture[list[Record]]"


@dataclass(frozen=True, slots=True)
class Job:
    """How the work is done; it does not change what comes out.

    Args:
        workers: processes; with one, the calling process does the work, unless there is a timeout to keep.
        timeout: seconds that a note may take, or None.
        builder: makes the pipeline in each process; None is medtext's own, and tests bring theirs.

    Raises:
        UsageError: for fewer workers than one, or a timeout that is none.
    """

    workers: int = 1
    timeout: float | None = None
    builder: Builder | None = None

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UsageError(f"There is work for one worker at least, not for {self.workers}.")
        if self.timeout is not None and not 0 < self.timeout <= LONGEST:
            said = f"A timeout is above 0 and at most {LONGEST:,} seconds, not {self.timeout:g}; leave it out for none."
            raise UsageError(said)

    def build(self, config: Config) -> Language:
        """The pipeline of one process."""
        if self.builder:
            return self.builder(config)
        from medtext.pipeline import build

        return build(config)


def run(notes: Iterable[Read], config: Config, job: Job, nlp: Language | None = None) -> Iterator[Record]:
    """A record for each note, in order, in bounded memory.

    `nlp` serves where the calling process does the work. With a timeout and without `nlp` one worker is started, since
    a process cannot end itself and go on; with `nlp` a timeout holds as far as Python can interrupt what runs.
    """
    if job.workers > 1 or (job.timeout is not None and nlp is None):
        return _pool(notes, config, job)
    if nlp:
        return annotate(nlp, notes, config, _guard(job.timeout))
    return _alone(notes, config, job)


def _alone(notes: Iterable[Read], config: Config, job: Job) -> Iterator[Record]:
    """In this process, with a pipeline that is built anew now and then where spaCy cannot forget."""
    waiting = iter(notes)
    for first in waiting:
        some = chain([first], islice(waiting, LIFE - 1 if keeps_words() else None))
        yield from annotate(job.build(config), some, config, _guard(job.timeout))


def _guard(timeout: float | None) -> Guard:
    """An alarm, where there is a limit and the system can ring one; signals reach the main thread only."""
    if timeout is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return nullcontext
    return partial(alarm, timeout)


class _Rang(BaseException):
    """Time is up. Not an `Exception`, so that no component takes it for a fault of its own and carries on."""


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raises `NoteError` when the block takes longer than `seconds`. In the main thread only."""
    over = False

    def ring(_number: int, _frame: object) -> None:
        if not over:
            raise _Rang

    before = signal.signal(signal.SIGALRM, ring)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            yield
        finally:
            over = True
            signal.setitimer(signal.ITIMER_REAL, 0)
    except _Rang:
        raise _timeout(seconds) from None
    finally:
        signal.signal(signal.SIGALRM, before)


@contextmanager
def lifeline(seconds: float) -> Iterator[None]:
    """An alarm, and behind it the end of this process: faulthandler's clock runs in C and waits for no lock.

    What faulthandler has to say of the end, names of files and functions, goes nowhere.
    """
    with open(os.devnull, "w") as nowhere, _guard(seconds)():  # noqa: PTH123 - faulthandler wants a real file
        faulthandler.dump_traceback_later(seconds + max(GRACE, seconds / 2), exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def _timeout(seconds: float | None) -> NoteError:
    return NoteError("Timeout", f"The note took longer than {seconds:g} seconds.")


# In the workers. One pipeline a process, built by the first batch.
_built: dict[str, Language] = {}


def _work(batch: Sequence[Read], config: Config, job: Job) -> list[Record]:
    """A batch's records."""
    if "nlp" not in _built:
        _built["nlp"] = job.build(config)
    guard = nullcontext if job.timeout is None else partial(lifeline, job.timeout)
    return list(annotate(_built["nlp"], batch, config, guard))


def _pool(notes: Iterable[Read], config: Config, job: Job) -> Iterator[Record]:
    crew = Crew(config, job)
    waiting: deque[Task] = deque()
    try:
        for batch in batches(notes):
            waiting.append(crew.submit(batch))
            if len(waiting) > job.workers * AHEAD:
                yield from _results(waiting.popleft(), crew)
        while waiting:
            yield from _results(waiting.popleft(), crew)
    finally:
        crew.stop()


@dataclass(slots=True, eq=False)
class Task:
    """A batch on its way, and the worker that has it."""

    batch: list[Read]
    worker: int
    future: Future
    alone: bool  # its note was in a batch that failed


class Crew:
    """The worker processes. Each is a pool of its own, so that one that dies takes nothing that the others need with it.

    (A worker that is killed while it sends a result leaves half of it in its pipe, and the pipe locked.)
    """

    def __init__(self, config: Config, job: Job) -> None:
        self.job = job
        self._config = config
        self._pools = [self._pool() for _ in range(job.workers)]
        self._open: list[Task] = []
        self._ends = 0  # of workers since one did something
        self._useful = False  # whether any did

    def _pool(self) -> ProcessPool:
        return ProcessPool(max_workers=1, max_tasks=LIVES if keeps_words() else 0, context=get_context("spawn"))

    def submit(self, batch: list[Read], alone: bool = False) -> Task:
        """Gives the batch to the worker that has least left to do."""
        busy = Counter(task.worker for task in self._open if not _is_done(task.future))
        worker = min(range(len(self._pools)), key=lambda place: busy[place])
        task = Task(batch, worker, self._schedule(worker, batch), alone)
        self._open.append(task)
        return task

    def _schedule(self, worker: int, batch: list[Read]) -> Future:
        try:
            return self._pools[worker].schedule(_work, args=(batch, self._config, self.job))
        except RuntimeError:  # its process was killed while it had nothing to do
            self._replace(worker)
            return self._pools[worker].schedule(_work, args=(batch, self._config, self.job))

    def result(self, task: Task) -> list[Record]:
        """The records of the batch. Raises `ProcessExpired` where its worker died of it or was killed meanwhile."""
        while True:
            try:
                records: list[Record] = task.future.result()
            except ProcessExpired:
                self._open.remove(task)
                self._count_end(given_up=not self._useful)
                self._replace(task.worker)
                raise
            except BrokenProcessPool:  # the worker ended before it took the batch, or between two
                self._count_end(given_up=True)
                self._replace(task.worker)
            else:
                self._ends, self._useful = 0, True
                self._open.remove(task)
                return records

    def _count_end(self, given_up: bool) -> None:
        """Raises `WorkerError` when that is not for the notes."""
        self._ends += 1
        if self._ends > BROKEN and given_up:
            raise WorkerError("The workers end before they have read a note; they may need more memory.")

    def _replace(self, worker: int) -> None:
        """A new process for this place, and what the old one had not done."""
        left = [task for task in self._open if task.worker == worker and not _is_done(task.future)]
        _end(self._pools[worker])  # this gives what is left exceptions of its own
        self._pools[worker] = self._pool()
        for task in left:
            task.future = self._schedule(worker, task.batch)

    def stop(self) -> None:
        for pool in self._pools:
            _end(pool)


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _is_done(future: Future) -> bool:
    """Whether there are records, or an exception of theirs; that of a pool that broke is none."""
    return future.done() and not isinstance(future.exception(), BrokenProcessPool | ProcessExpired)


def keeps_words() -> bool:
    """Whether this spaCy keeps every word it has seen, about 1.6 KB a note (see `annotate.BATCH`)."""
    return version("spacy").startswith("3.7.")


def _results(task: Task, crew: Crew) -> Iterator[Record]:
    """The batch's records; where its worker died or hung, those of its notes one by one."""
    try:
        yield from crew.result(task)
    except ProcessExpired as error:
        hanged = crew.job.timeout is not None and error.exitcode == HANGED
        if task.alone or (hanged and len(task.batch) == 1):
            yield _lost(task.batch[0], hanged, crew.job)
        else:
            for note in task.batch:
                yield from _results(crew.submit([note], alone=True), crew)


def _lost(item: Read, hanged: bool, job: Job) -> Record:
    if isinstance(item, Record):
        return item
    if hanged:
        return failure(item.id, "Timeout", str(_timeout(job.timeout)))
    return failure(item.id, "WorkerDied", "The worker that read this note died; it may need more memory.")


def batches(notes: Iterable[Read]) -> Iterator[list[Read]]:
    """Notes in batches of about `CHARACTERS`: notes differ a hundredfold in length."""
    batch: list[Read] = []
    size = 0
    for note in notes:
        batch.append(note)
        size += len(note.text) if isinstance(note, Note) else 0
        if size >= CHARACTERS or len(batch) >= NOTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
