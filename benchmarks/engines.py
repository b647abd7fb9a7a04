"""One worker, two workers and Spark on this machine, over the same notes: how fast, and whether the records are the same.

    python benchmarks/engines.py NOTES.jsonl.gz [--notes 2000] [--workers 2]

NOTES is JSON Lines of `{"text": …}`, gzipped or not, repeated until there are enough. Each job is `medtext extract`, as users
run it, into Parquet, start included; Spark needs the extra `spark` and Java 17.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from speed import read


def write_notes(corpus: Path, number: int, out: Path) -> None:
    with out.open("w", encoding="utf-8") as file:
        for place, text in enumerate(islice(cycle(read(corpus, number)), number)):
            file.write(json.dumps({"id": f"note-{place:07}", "text": text}) + "\n")


def seconds(notes: Path, out: Path, engine: str, workers: int) -> float:
    begin = time.monotonic()
    command = [sys.executable, "-m", "medtext", "extract", str(notes), "-o", str(out), "--format", "parquet"]
    command += ["--engine", engine, "--workers", str(workers)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return time.monotonic() - begin


def records(out: Path) -> pa.Table:
    """The records in the order of their ids."""
    tables = [pq.read_table(path) for path in sorted(out.glob("**/*.parquet"))]
    return pa.concat_tables(tables).sort_by("DocumentId")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("notes", type=Path)
    arguments.add_argument("--notes", dest="number", type=int, default=2000)
    arguments.add_argument("--workers", type=int, default=2, help="of the second and of the third job")
    options = arguments.parse_args()
    jobs = [("local", 1), ("local", options.workers), ("spark", options.workers)]
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes.jsonl"
        write_notes(options.notes, options.number, notes)
        first, table = 0.0, None
        for place, (engine, workers) in enumerate(jobs):
            out = Path(folder) / f"out-{place}"
            taken = seconds(notes, out, engine, workers)
            found = records(out)
            first, table = first or taken, found if table is None else table
            same = "the same records" if found.equals(table) else "OTHER RECORDS"
            print(
                f"{engine}, workers: {workers}   {taken:6.1f} s {options.number / taken:7.1f} notes a second, "
                f"{first / taken:.2f} times the first; {same}"
            )


if __name__ == "__main__":
    main()
