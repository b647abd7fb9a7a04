"""Rows of a Parquet file, a batch at a time."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medtext.errors import NoteError
from medtext.readers.rows import Row, TableColumns

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Scalar

ROWS = 64  # in memory at a time


def parquet_columns(path: Path) -> list[str]:
    """The names of the columns. Raises `NoteError` for a file that is damaged or ends early."""
    with _opened(path) as table:
        return list(table.schema_arrow.names)


def parquet_rows(path: Path, columns: TableColumns) -> Iterator[Row]:
    """The rows, in order, of the text and the id column only; a string that is not UTF-8 comes as its bytes.

    Raises `NoteError` for a file that is damaged, ends early or lacks a column.
    """
    with _opened(path) as table:
        names = columns.found_in(table.schema_arrow.names)
        for batch in table.iter_batches(batch_size=ROWS, columns=names):
            yield from batch_rows(batch)


def file_rows(path: Path) -> Iterator[Row]:
    """All rows with all their columns. Raises `OSError` or `ValueError` for a file that is damaged."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as table:
        for batch in table.iter_batches(batch_size=ROWS):
            yield from batch.to_pylist()


def batch_rows(batch: RecordBatch) -> Iterator[Row]:
    """The rows of an Arrow batch; a string that is not UTF-8 comes as its bytes."""
    for place in range(batch.num_rows):
        yield {name: _value(batch.column(name)[place]) for name in batch.schema.names}


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import pyarrow
    import pyarrow.parquet

    try:
        source: Any = io.BytesIO(gzip.decompress(path.read_bytes())) if path.suffix.lower() == ".gz" else path
        with pyarrow.parquet.ParquetFile(source) as table:
            yield table
    except (pyarrow.ArrowException, EOFError, gzip.BadGzipFile, zlib.error):
        raise _damaged() from None
    except OSError as error:
        raise error if error.strerror else _damaged() from None


def _damaged() -> NoteError:
    return NoteError("TruncatedFile", "The Parquet data end early or are damaged; write the file again.")


def _value(cell: Scalar) -> object:
    try:
        return cell.as_py()
    except UnicodeDecodeError:
        return cell.as_buffer().to_pybytes()
