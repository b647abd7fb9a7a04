"""The writers behind `medtext.writers`."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from medtext.errors import UsageError
from medtext.schema import Record

FORMATS = ("json", "jsonl", "parquet")
STDOUT = "-"
UNSAFE = re.compile(r"[\x00-\x1f\x7f<>:\"|?*\\\ud800-\udfff]")

Write = Callable[[Record], None]


@dataclass(frozen=True, slots=True)
class Target:
    """Where records go, and in which of `FORMATS`. `force` overwrites, `resume` goes on with what is there."""

    path: str
    format: str | None = None
    force: bool = False
    resume: bool = False

    def __post_init__(self) -> None:
        if self.format not in (None, *FORMATS):
            raise UsageError(f"There is no format {self.format!r}; there are {', '.join(FORMATS)}.")
        named = "parquet" if self.path.endswith(".parquet") else "jsonl" if self.path.endswith(".jsonl") else None
        if self.path == STDOUT and self.format not in (None, "jsonl"):
            raise UsageError("Standard output takes JSON Lines only; leave --format out.")
        if named and self.format not in (None, named):
            raise UsageError(f"{self.path} is named for another format than {self.format}; change one of them.")

    @property
    def kind(self) -> str:
        if self.path == STDOUT or self.path.endswith(".jsonl"):
            return "jsonl"
        return "parquet" if self.path.endswith(".parquet") else self.format or "json"

    @property
    def file(self) -> Path:
        """The one file that is written, unless there is one for each note."""
        path = Path(self.path)
        return path if path.suffix in (".jsonl", ".parquet") else path / f"records.{self.kind}"


def done(target: Target) -> frozenset[str]:
    """The ids of the notes that `target` holds already, where it is to be resumed.

    Notes that failed are read again.
    """
    if not target.resume or target.path == STDOUT:
        return frozenset()
    if target.kind == "json":
        files = sorted(Path(target.path).rglob("*.json")) if Path(target.path).is_dir() else []
        return frozenset(name for file in files if (name := _id_in(file.read_text(encoding="utf-8"))))
    if target.kind == "parquet":
        raise UsageError("A Parquet file cannot be resumed; write .jsonl or a folder, or start again with --force.")
    lines = [line for file in (target.file, _part(target.file)) if file.exists() for line in _whole_lines(file)]
    return frozenset(name for line in lines if (name := _id_in(line)))


def _id_in(text: str) -> str | None:
    """The id in a record's JSON; None where it failed, or is no record."""
    with contextlib.suppress(ValueError, TypeError, KeyError):
        row = json.loads(text)
        return None if "Error" in row else str(row["DocumentId"])
    return None


def _whole_lines(path: Path) -> list[str]:
    data = path.read_bytes()
    return data[: data.rfind(b"\n") + 1].decode("utf-8", "replace").splitlines()


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


@contextmanager
def open_writer(target: Target) -> Iterator[Write]:
    """A function that writes one record; all are in place when the block ends.

    Raises:
        UsageError: where something would be overwritten without `force` or `resume`, or the place cannot be written to.
        OSError: where the disk fills up; what was written before it stays readable.
    """
    if target.path == STDOUT:
        yield _to_stdout
        return
    with _writable(target):
        opened = {"json": _folder, "jsonl": _lines, "parquet": _parquet}[target.kind](target)
        write = opened.__enter__()
    with opened_block(opened):
        yield write


@contextmanager
def opened_block(opened: contextlib.AbstractContextManager[Write]) -> Iterator[None]:
    """The rest of a context that was entered already."""
    with contextlib.ExitStack() as stack:
        stack.push(opened)
        yield


@contextmanager
def _writable(target: Target) -> Iterator[None]:
    try:
        yield
    except (PermissionError, NotADirectoryError, FileNotFoundError, IsADirectoryError, FileExistsError) as error:
        raise UsageError(f"{target.path} cannot be written to: {error.strerror}.") from None


def _to_stdout(record: Record) -> None:
    sys.stdout.write(_line(record))
    sys.stdout.flush()


def _line(record: Record) -> str:
    return json.dumps(record.to_json(), ensure_ascii=False) + "\n"


def _refuse(path: Path, target: Target) -> None:
    if path.exists() and not (target.force or target.resume):
        raise UsageError(f"{path} exists; --force overwrites it and --resume goes on with it.")


@contextmanager
def _folder(target: Target) -> Iterator[Write]:
    root = Path(target.path)
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file; name a folder.")
    if root.is_dir() and any(root.iterdir()):
        _refuse(root, target)
    root.mkdir(parents=True, exist_ok=True)
    (root / ".medtext").write_bytes(b"")
    (root / ".medtext").unlink()

    def write(record: Record) -> None:
        path = root / file_name(record.document_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(record.to_json(), ensure_ascii=False, indent=1) + "\n"
        with _replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")

    yield write


def file_name(document_id: str) -> PurePosixPath:
    """Where a note's record lies below the output folder. An id cannot lead out of it, nor be too long for a name."""
    parts = [UNSAFE.sub("_", part) for part in document_id.split("/") if part not in ("", ".", "..")]
    plain = "/".join(parts)
    if not parts or plain != document_id or any(len(part.encode()) > 200 for part in parts):
        digest = hashlib.sha256(document_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        parts = [*(part[:40] for part in parts[:-1]), f"{parts[-1][:40] if parts else 'note'}-{digest}"]
    return PurePosixPath(*parts[:-1], parts[-1] + ".json")


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to; it takes the place of `path` when the block ends well."""
    temporary = _part(path)
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _lines(target: Target) -> Iterator[Write]:
    path = target.file
    _refuse(path, target)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _part(path)
    kept: list[str] = []
    if target.resume:
        kept = [line for file in (path, part) if file.exists() for line in _whole_lines(file) if _id_in(line)]
    with part.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{line}\n" for line in dict.fromkeys(kept))

        def write(record: Record) -> None:
            out.write(_line(record))

        yield write
    os.replace(part, path)


@contextmanager
def _parquet(target: Target) -> Iterator[Write]:
    from medtext.writers.parquet import parquet_writer

    path = target.file
    _refuse(path, target)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _replacing(path) as temporary, parquet_writer(temporary) as write:
        yield write
