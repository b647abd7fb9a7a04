"""A job whose engine is a toy, for tests that kill it at any of its steps: `python -m tests.job '{…}'`.

A step is a note that is read, or something that is done to a file of the output; Python's audit hooks see the latter. At the
step `at` the process is killed ("kill"), finds the disk full ("full") or the output gone ("remove").
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
from collections import deque
from pathlib import Path

from medtext.engines.local import batches
from medtext.schema import Entity, Failure, Note, Record
from medtext.writers import Target, open_output

FILE_EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.listdir"}
SHARD = 7  # notes


def record(item):
    if isinstance(item, Record):
        return item
    if "DIE" in item.text:
        return Record(item.id, error=Failure("WorkerDied", "It died."))
    return Record(item.id, len(item.text), "toy", (Entity(1, 0, 1, "MEDICAL_CONDITION", "DX_NAME", 0.5),))


def ahead(items):
    """Records in order; notes are read ahead of them, as the engine does."""
    waiting: deque[list] = deque()
    for batch in batches(items):
        waiting.append(batch)
        if len(waiting) > 2:
            yield from map(record, waiting.popleft())
    for batch in waiting:
        yield from map(record, batch)


def notes(path: str, step):
    for line in Path(path).read_text().splitlines():
        step()
        name, text = json.loads(line)
        yield Note(name, text) if text else Record(name, error=Failure("EmptyNote", "The note is empty."))


def run(notes_path: str, out: str, format: str | None, resume: bool, force=False, settings=None, step=lambda: None):
    target = Target(out, format, force, resume)
    with open_output(target, settings or {"model": "toy"}, ["notes"], SHARD) as output:
        for found in ahead(output.todo(notes(notes_path, step))):
            output.write(found)
    return output


def main() -> None:
    job = json.loads(sys.argv[1])
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps != job["at"]:
            return
        if job["what"] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif job["what"] == "full":
            raise OSError(errno.ENOSPC, "No space left on device")
        else:
            shutil.rmtree(Target(job["out"], job["format"]).folder, ignore_errors=True)

    def hook(event: str, arguments: tuple) -> None:
        path = arguments[0] if event in FILE_EVENTS else None
        if isinstance(path, str | os.PathLike) and os.fspath(path).startswith(job["out"]):
            step()

    sys.addaudithook(hook)
    try:
        run(job["notes"], job["out"], job["format"], job["resume"], step=step)
    except OSError:
        sys.exit(1)
    sys.stdout.write(str(steps))


if __name__ == "__main__":
    main()
