"""Records into files: shards of JSON Lines or Parquet, one file of them, a JSON file a note, or standard output.

What is written appears under its name only when it is whole and on the disk: each file is written beside its place, as
`NAME.part`, and then renamed. See `medtext.writers.output` for how a job goes on where it broke off.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from medtext.errors import UsageError
from medtext.writers.output import SHARD_NOTES, Output, StandardOutput, is_whole, open_shards
from medtext.writers.shards import Shards
from medtext.writers.target import STDOUT, Target

__all__ = ["SHARD_NOTES", "Output", "StandardOutput", "Target", "is_whole", "open_output"]


@contextmanager
def open_output(
    target: Target, settings: Mapping[str, Any], inputs: Iterable[str] = (), shard_notes: int = SHARD_NOTES
) -> Iterator[Output | StandardOutput]:
    """What says which notes are to be read and takes their records, in order; all is in place when the block ends well.

    Args:
        target: where the records go.
        settings: what the records depend on, for `resume`; names for people and values for JSON.
        inputs: names of the sources, for the manifest.
        shard_notes: notes of a shard, at most; one of the settings.

    Raises:
        UsageError: where something would be overwritten without `force` or `resume`, a job was begun with other settings, or
            the place cannot be written to.
        OSError: where the disk fills up; the shards that were written before stay, for `resume`.
    """
    with ExitStack() as stack:
        try:
            if target.path == STDOUT:
                from medtext.writers.lines import write_to_stdout

                output: Output | StandardOutput = StandardOutput(write_to_stdout)
            else:
                settings = {**settings, "format": target.kind, "notes a shard": shard_notes}
                output = stack.enter_context(open_shards(target, _shards(target), settings, inputs, shard_notes))
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            raise UsageError(f"{target.path} cannot be written to: {error.strerror}.") from None
        yield output


def _shards(target: Target) -> Shards:
    if target.kind == "parquet":
        from medtext.writers.parquet import ParquetShards

        return ParquetShards(target.folder)
    if target.kind == "json":
        from medtext.writers.files import NoteFiles

        return NoteFiles(target.folder)
    from medtext.writers.lines import LineShards

    return LineShards(target.folder)
