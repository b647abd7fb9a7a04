"""Puts annotations that are kept without their text together with the notes that they are of.

    python -m medtext.training.join models/gold/reports.jsonl --notes mtsamples.jsonl.gz > reports.jsonl

The text of third-party corpora is not ours to give away; our annotations of it are. A row is a gold note with `sha256`, that
of the note's UTF-8 text, in the place of `text`; of a note that was annotated in part, `parts` says where.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from medtext.errors import UsageError
from medtext.training.corpus import read_rows


def joined(rows: Iterable[dict[str, Any]], texts: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The rows with their texts, which are looked up by id.

    Raises:
        UsageError: for a row whose note is not there, or is not the one that was annotated.
    """
    for row in rows:
        text = texts.get(row["id"])
        if text is None or digest(text) != row["sha256"]:
            raise UsageError(f"There is no note {row['id']!r}, or it is not the one that was annotated.")
        yield {"id": row["id"], "text": text, **{name: value for name, value in row.items() if name != "sha256"}}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("annotations", type=Path)
    parser.add_argument("--notes", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    texts = {row["id"]: row["text"] for row in read_rows(options.notes)}
    for row in joined(read_rows([options.annotations]), texts):
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
