"""Rows of a Parquet file, a batch at a time."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from medtext.errors import NoteError

ROWS = 256


def parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows, in order. Raises `NoteError` for a file that is damaged or ends early."""
    import pyarrow
    import pyarrow.parquet

    try:
        source: Any = io.BytesIO(gzip.decompress(path.read_bytes())) if path.suffix == ".gz" else path
        with pyarrow.parquet.ParquetFile(source) as table:
            for batch in table.iter_batches(batch_size=ROWS):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, EOFError, gzip.BadGzipFile):
        raise NoteError("TruncatedFile", "The Parquet data end early or are damaged; write the file again.") from None
    except OSError as error:
        raise NoteError("UnreadableFile", f"The file cannot be read: {error.strerror or 'damaged'}.") from None
