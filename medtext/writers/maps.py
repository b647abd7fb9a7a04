"""Where offsets went in redacted notes: JSON Lines of numbers and types, without text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from medtext.deid.replacing import Replaced
from medtext.writers.target import Target, refuse, replacing

WriteMap = Callable[[str, Iterable[Replaced]], None]


@contextmanager
def maps_writer(path: Path | None, target: Target) -> Iterator[WriteMap]:
    """A function that writes what was replaced in one note as a line of `path`; one that does nothing where there is none."""
    if path is None:
        yield lambda _document_id, _replaced: None
        return
    refuse(path, target)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as out:

        def write(document_id: str, replaced: Iterable[Replaced]) -> None:
            row = {"DocumentId": document_id, "Replaced": [one.to_json() for one in replaced]}
            out.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")

        yield write
