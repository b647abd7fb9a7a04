"""Records or redacted notes into files: a file a note, JSON Lines, Parquet, or JSON Lines on standard output.

What is written appears under its name only when it is whole: each file is written beside its place, as `NAME.part`, and
then renamed.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from medtext.errors import UsageError
from medtext.writers.files import folder_done, folder_writer
from medtext.writers.lines import lines_done, lines_writer, stdout_writer
from medtext.writers.maps import maps_writer
from medtext.writers.target import STDOUT, Target, Write

__all__ = ["Target", "Write", "done", "maps_writer", "open_writer"]


def done(target: Target) -> Callable[[str], bool]:
    """What says of an id whether `target` holds its record or redacted note already, where it is to be resumed.

    Notes that failed are not done: they are read again.
    """
    if not target.resume or target.path == STDOUT:
        return lambda _document_id: False
    return folder_done(target) if target.kind == "json" else lines_done(target)


@contextmanager
def open_writer(target: Target) -> Iterator[Write]:
    """A function that writes one record or note; all are in place when the block ends.

    Raises:
        UsageError: where something would be overwritten without `force` or `resume`, or the place cannot be written to.
        OSError: where the disk fills up; what was written before it stays, for `resume`.
    """
    with ExitStack() as stack:
        try:
            write = stack.enter_context(_writer(target))
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            raise UsageError(f"{target.path} cannot be written to: {error.strerror}.") from None
        yield write


def _writer(target: Target) -> AbstractContextManager[Write]:
    if target.path == STDOUT:
        return stdout_writer()
    if target.kind == "parquet":
        from medtext.writers.parquet import parquet_writer

        return parquet_writer(target)
    return folder_writer(target) if target.kind == "json" else lines_writer(target)
