"""A long job: many notes, one in a thousand failing, and whether each came out once, how fast, and in how much memory.

    python benchmarks/soak.py NOTES.jsonl.gz [--notes 200000] [--workers 2] [--format jsonl] [--out FOLDER]

NOTES is JSON Lines of `{"text": …}`, gzipped or not, repeated until there are enough. The job is `medtext extract`, as users
run it; its records are looked through and, unless a folder is named, removed. Memory is read from /proc (Linux) every second:
the resident memory of the parent and of the largest worker.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from speed import read

FAILING = 1000  # one note in so many
BAD = ("", " \n ", "\x01" * 50, "\ud800")  # each is an error of its own
LINES = 20  # of memory over time


def write_notes(corpus: Path, number: int, out: Path) -> int:
    """Writes so many notes, and gives how many of them fail."""
    failing = 0
    with out.open("w", encoding="utf-8") as file:
        for place, text in enumerate(islice(cycle(read(corpus, number)), number)):
            if place % FAILING == FAILING // 2:
                text = BAD[failing % len(BAD)]
                failing += 1
            file.write(json.dumps({"id": f"note-{place}", "text": text}) + "\n")
    return failing


def resident(pid: int) -> float:
    """MB of a process; 0 where it is gone."""
    try:
        fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return int(fields["VmRSS"].split()[0]) / 1000
    except (OSError, KeyError):
        return 0.0


def children(pid: int) -> list[int]:
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []


def watched(job: subprocess.Popen[bytes]) -> list[tuple[float, float, float]]:
    """Seconds, MB of the parent and MB of its largest child, every second until the job ends."""
    begin = time.monotonic()
    seen = []
    while job.poll() is None:
        workers = max((resident(child) for child in children(job.pid)), default=0.0)
        seen.append((time.monotonic() - begin, resident(job.pid), workers))
        time.sleep(1.0)
    seen.append((time.monotonic() - begin, seen[-1][1], seen[-1][2]))
    return seen


def records(out: Path, kind: str) -> Iterator[tuple[str, bool]]:
    """The id of each record, and whether the note failed."""
    for path in sorted(out.glob(f"records-*.{kind}")):
        if kind == "parquet":
            import pyarrow.parquet as pq

            for batch in pq.ParquetFile(path).iter_batches(columns=["DocumentId", "Error"]):
                yield from ((row["DocumentId"], row["Error"] is not None) for row in batch.to_pylist())
        else:
            with path.open(encoding="utf-8") as lines:
                yield from ((row["DocumentId"], "Error" in row) for row in map(json.loads, lines))


def check(out: Path, kind: str, number: int, failing: int) -> list[str]:
    """What is wrong with what came out."""
    found = Counter(records(out, kind))
    ids = Counter(name for name, _ in found.elements())
    summary = json.loads((out / "manifest.json").read_text())["Summary"]
    expected = {f"note-{place}" for place in range(number)}
    wrong = {
        "lost": len(expected - set(ids)),
        "not asked for": len(set(ids) - expected),
        "twice": sum(times > 1 for times in ids.values()),
        "failed": sum(failed for _, failed in found.elements()) - failing,
        "done in the manifest": summary["SuccessFilesCount"] - (number - failing),
        "unprocessed in the manifest": summary["UnprocessedFilesCount"] - failing,
    }
    return [f"{what}: off by {by}" for what, by in wrong.items() if by]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("notes", type=Path)
    arguments.add_argument("--notes", dest="number", type=int, default=200_000)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--format", choices=("jsonl", "parquet"), default="jsonl")
    arguments.add_argument("--out", type=Path, help="keep the records here")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        notes, out = Path(folder) / "notes.jsonl", options.out or Path(folder) / "out"
        failing = write_notes(options.notes, options.number, notes)
        command = [sys.executable, "-m", "medtext", "extract", str(notes), "-o", str(out), "--format", options.format]
        job = subprocess.Popen([*command, "--workers", str(options.workers), "--force"], stderr=subprocess.DEVNULL)
        seen = watched(job)
        wrong = check(out, options.format, options.number, failing)
        size = sum(path.stat().st_size for path in out.glob("records-*")) / 1e6
        if not options.out:
            shutil.rmtree(out)

    seconds = seen[-1][0]
    print(
        f"{options.number} notes, {failing} of them failing, {options.workers} workers: {seconds:.0f} s, start included"
    )
    print(
        f"{options.number / seconds:.1f} notes a second; {size:.0f} MB of {options.format}; exit status {job.returncode}"
    )
    print(
        f"peak resident memory: parent {max(row[1] for row in seen):.0f} MB, worker {max(row[2] for row in seen):.0f} MB"
    )
    print("seconds    parent MB   largest worker MB")
    for at, parent, worker in seen[:: max(len(seen) // LINES, 1)]:
        print(f"{at:7.0f} {parent:12.0f} {worker:19.0f}")
    print("; ".join(wrong) or "every note came out once")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
