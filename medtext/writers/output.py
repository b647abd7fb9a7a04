"""The output of a job: shards, each whole or absent, and what is needed to go on where a job broke off.

Which notes go into which shard depends on the order of the notes and on nothing else, so that the same notes give the same
shards with any number of workers, in one go or in several. Beside the shards, in the folder `.medtext`, stand

    job.json       the settings that the records depend on; written first
    00000.json     of each shard: a digest of its notes, and the id, length and failure of each; written after the shard

A shard is done when both it and its file there are. Resuming reads all the notes again, passes by the shards whose digest is
that of the notes now, and writes the others anew. Nothing of a note's text is kept: the digest is a hash of 64 bits (see
`medtext.hashing`).
"""

from __future__ import annotations

import json
import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medtext.errors import UsageError
from medtext.hashing import hasher
from medtext.readers.limits import Read
from medtext.schema import Failure, Note, Record
from medtext.writers.manifest import MANIFEST, write_manifest
from medtext.writers.shards import ShardFiles, Shards
from medtext.writers.target import META, Target, Write, replacing

SHARD_NOTES = 5_000  # of a shard, at most
SHARD_CHARACTERS = 20_000_000  # of a shard's notes: no note is begun in a shard that has as many
MAY_PASS = ("Timeout", "WorkerDied")
"""Failures that another try may be spared: notes with these are read again when a job is resumed."""


@dataclass(slots=True)
class Shard:
    """The next notes of the input, as many as go into one shard; `digest` and `full` are known when they were read."""

    number: int
    items: Iterator[Read]
    most: int
    count: int = 0
    characters: int = 0
    ended: bool = False  # there are no more
    _state: Any = field(default_factory=lambda: hasher(8))

    def __iter__(self) -> Iterator[Read]:
        while self.count < self.most and self.characters < SHARD_CHARACTERS:
            item = next(self.items, None)
            if item is None:
                self.ended = True
                return
            self.count += 1
            self.characters += _length(item)
            self._feed(item)
            yield item

    def _feed(self, item: Read) -> None:
        name, content = (item.id, item.text) if isinstance(item, Note) else (item.document_id, str(item.error))
        for said in (name, content):
            data = said.encode("utf-8", "surrogatepass")
            self._state.update(b"%d:" % len(data))
            self._state.update(data)

    @property
    def digest(self) -> str:
        return str(self._state.hexdigest())


@dataclass(frozen=True, slots=True)
class Done:
    """A shard that was written: the digest of its notes, and of each its id, its length and why it failed."""

    digest: str
    notes: tuple[tuple[str, int, Failure | None], ...]

    @property
    def ids(self) -> list[str]:
        return [name for name, _, _ in self.notes]

    def to_json(self) -> dict[str, Any]:
        rows = [
            [name, length] if error is None else [name, length, error.code, error.message]
            for name, length, error in self.notes
        ]
        return {"Digest": self.digest, "Notes": rows}

    @classmethod
    def read(cls, path: Path) -> Done | None:
        """What the file says; None where there is none, or it is damaged."""
        try:
            row = json.loads(path.read_bytes())
            notes = ((name, length, Failure(*error) if error else None) for name, length, *error in row["Notes"])
            return cls(row["Digest"], tuple(notes))
        except (OSError, ValueError, TypeError, KeyError):
            return None


class Output:
    """Takes the records of a job, and says which notes are still to be read.

    `before` is how many notes were done before, `failed_before` those of them that failed, with why.
    """

    def __init__(self, target: Target, shards: Shards, shard_notes: int) -> None:
        self.before = 0
        self.failed_before: list[tuple[str, Failure]] = []
        self._meta = target.folder / META
        self._resume = target.resume
        self._shards = shards
        self._most = shard_notes
        self._due: deque[tuple[Shard, int]] = deque()  # where the next records go, and how long their notes are
        self._open: Shard | None = None
        self._write: Write | None = None
        self._notes: list[tuple[str, int, Failure | None]] = []
        self._stack = ExitStack()
        self.count = 0  # shards

    def todo(self, items: Iterable[Read]) -> Iterator[Read]:
        """The notes to read, in order; one that is known already comes as its record, which is to be written again."""
        waiting = iter(items)
        ended = False
        while not ended:
            shard = Shard(self.count, waiting, self._most)
            before = Done.read(self._done(shard.number)) if self._resume else None
            for item, length in self._again(shard, before) if before else ((item, _length(item)) for item in shard):
                self._due.append((shard, length))
                yield item
            ended = shard.ended
            self.count += shard.count > 0

    def _again(self, shard: Shard, before: Done) -> Iterator[tuple[Read, int]]:
        """Of a shard that was written before, what is to be read or written again."""
        items = list(shard)
        lengths = map(_length, items)
        if shard.digest != before.digest or not self._shards.holds(shard.number, before.ids):
            yield from zip(items, lengths, strict=True)
        elif any(_may_pass(error) for _, _, error in before.notes):
            known = self._shards.read(shard.number, before.ids)
            read = (item if _may_pass(record.error) else record for item, record in zip(items, known, strict=True))
            yield from zip(read, lengths, strict=True)
        else:
            self.before += len(items)
            self.failed_before.extend((name, error) for name, _, error in before.notes if error)

    def write(self, record: Record) -> None:
        """Writes the record of the next note that `todo` gave."""
        shard, length = self._due.popleft()
        if shard is not self._open:
            self._close()
            self._done(shard.number).unlink(missing_ok=True)
            self._write = self._stack.enter_context(self._shards.open(shard.number))
            self._open = shard
        assert self._write
        self._write(record)
        self._notes.append((record.document_id, length, record.error))

    def _close(self) -> None:
        """Puts the shard that is being written in its place."""
        if self._open:
            self._stack.close()
            _write_json(self._done(self._open.number), Done(self._open.digest, tuple(self._notes)).to_json())
        self._open, self._notes = None, []

    def close(self) -> None:
        """Puts the last shard in its place, and removes shards of a job that had more of them."""
        self._close()
        self._shards.clear(self.count)
        for path in done_files(self._meta):
            if int(path.stem) >= self.count:
                path.unlink()

    def abort(self, error: BaseException) -> None:
        """Drops the shard that is being written."""
        self._stack.__exit__(type(error), error, error.__traceback__)

    def done(self) -> Iterator[tuple[str, str, int, Failure | None]]:
        """Of each note, in order: its id, the file that holds its record, its length, and why it failed."""
        for number in range(self.count):
            shard = Done.read(self._done(number))
            for name, length, error in shard.notes if shard else ():
                yield name, self._shards.name(number, name), length, error

    def _done(self, number: int) -> Path:
        return self._meta / f"{number:05}.json"


class StandardOutput:
    """What an `Output` is to standard output: nothing is kept, and all is to be read."""

    before = 0
    failed_before: tuple[tuple[str, Failure], ...] = ()

    def __init__(self, write: Write) -> None:
        self.write = write

    def todo(self, items: Iterable[Read]) -> Iterable[Read]:
        return items


@contextmanager
def open_shards(
    target: Target, shards: Shards, settings: Mapping[str, Any], inputs: Iterable[str], shard_notes: int
) -> Iterator[Output]:
    """The output of a job whose records depend on `settings`; all is in place when the block ends well.

    `inputs` are the sources' names, for the manifest. See `medtext.writers.open_output` for what is raised.
    """
    folder = target.folder
    _refuse(target)
    if target.force:
        _clear(folder, shards)
    _begin(folder, settings, target)
    if isinstance(shards, ShardFiles):
        (folder / MANIFEST).unlink(missing_ok=True)
    output = Output(target, shards, shard_notes)
    try:
        yield output
        output.close()
    except BaseException as error:
        output.abort(error)
        _leave_nothing_bare(folder)
        raise
    if target.is_file:
        assert isinstance(shards, ShardFiles)
        with replacing(Path(target.path), folder / "whole") as temporary:
            shards.join(output.count, temporary)
        (folder / META / "job.json").unlink()  # first: without it, what is left of the folder is only to be removed
        shutil.rmtree(folder)
    elif isinstance(shards, ShardFiles):
        write_manifest(folder, output.done(), inputs, str(settings.get("model", "")))


def is_whole(target: Target) -> bool:
    """Whether the one file that is to be resumed was finished; then there is nothing left to go on with."""
    whole = target.resume and target.is_file and Path(target.path).exists() and not _job(target.folder).exists()
    if whole and target.folder.exists():
        shutil.rmtree(target.folder)
    return whole


def done_files(meta: Path) -> list[Path]:
    return [path for path in meta.glob("*.json") if path.stem.isdigit()]


def _refuse(target: Target) -> None:
    """Raises `UsageError` where something would be overwritten unasked, or what is to be resumed is no job's."""
    folder, file = target.folder, Path(target.path)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder.")
    if target.is_file and file.is_dir():
        raise UsageError(f"{file} is a folder; name a file.")
    if target.force or _is_bare(folder):
        if file.exists() and target.is_file and not (target.force or target.resume):
            raise UsageError(f"{file} exists; --force overwrites it.")
        return
    if not target.resume:
        if target.is_file and not file.exists():
            raise UsageError(f"{folder} was left by a job that broke off; --resume goes on, --force starts again.")
        raise UsageError(f"{file} exists; --force overwrites it and --resume goes on with it.")
    if not _job(folder).exists():
        raise UsageError(f"{folder} holds no job that could be gone on with; --force starts one.")


def _is_bare(folder: Path) -> bool:
    """Whether there is nothing in the folder but the start of a job."""
    return not folder.exists() or not (done_files(folder / META) or any(path.name != META for path in folder.iterdir()))


def _clear(folder: Path, shards: Shards) -> None:
    """Removes what medtext wrote there."""
    if (folder / META).exists():
        shutil.rmtree(folder / META)
    if folder.exists():
        shards.clear(0)


def _begin(folder: Path, settings: Mapping[str, Any], target: Target) -> None:
    """Keeps the settings of the job. Raises `UsageError` where those of a job that is resumed were others."""
    if target.resume and not _is_bare(folder):
        before = _read_json(_job(folder))
        for name in {**settings, **before}:
            if before.get(name) != settings.get(name):
                said = f"{name} was {before.get(name)!r} and is {settings.get(name)!r}"
                raise UsageError(f"{target.path} was begun with other settings: {said}; --force starts again.")
    (folder / META).mkdir(parents=True, exist_ok=True)
    _write_json(_job(folder), settings)


def _leave_nothing_bare(folder: Path) -> None:
    """Removes the start of a job that wrote nothing, so that it is in nobody's way."""
    with suppress(OSError):
        if _is_bare(folder):
            shutil.rmtree(folder / META)
            folder.rmdir()


def _job(folder: Path) -> Path:
    return folder / META / "job.json"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        row = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return row if isinstance(row, dict) else {}


def _write_json(path: Path, row: Mapping[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")


def _length(item: Read) -> int:
    return len(item.text) if isinstance(item, Note) else 0


def _may_pass(error: Failure | None) -> bool:
    return error is not None and error.code in MAY_PASS
