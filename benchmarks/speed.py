"""Speed of one process: the whole pipeline beside spaCy's tokenizer as it comes, each step, start-up and peak memory.

    python benchmarks/speed.py NOTES.jsonl.gz [--model fast] [--limit 300] [--repeat 3]

NOTES is JSON Lines of `{"text": …}`, gzipped or not. Times are processor seconds of this one process; every repetition
is paired with one of the tokenizer, and the medians are printed, so that a busy machine disturbs both alike.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

START = """
import sys, time
begin = time.perf_counter()
import medtext
medtext.load(model=sys.argv[1])
print(time.perf_counter() - begin)
"""


def read(path: Path, limit: int) -> list[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line, _ in zip(lines, range(limit), strict=False)]


def seconds(work: Callable[[str], object], notes: Sequence[str]) -> float:
    """Processor seconds of `work` on every note."""
    begin = time.process_time()
    for note in notes:
        work(note)
    return time.process_time() - begin


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("notes", type=Path)
    arguments.add_argument("--limit", type=int, default=300, help="notes to read (default 300)")
    arguments.add_argument("--repeat", type=int, default=3, help="repetitions (default 3)")
    arguments.add_argument("--model", default="fast")
    options = arguments.parse_args()
    notes = read(options.notes, options.limit)
    characters = sum(map(len, notes))

    started = float(
        subprocess.run([sys.executable, "-c", START, options.model], capture_output=True, check=True).stdout
    )

    import spacy

    import medtext

    nlp = medtext.load(model=options.model)
    for note in notes[:20]:
        medtext.extract(note, nlp=nlp)
    pairs = []
    for _ in range(options.repeat):
        bare = spacy.blank("en")
        pairs.append((seconds(lambda note: medtext.extract(note, nlp=nlp), notes), seconds(bare.make_doc, notes)))
    whole, tokenizer = (median(times) for times in zip(*pairs, strict=True))
    print(f"notes                      {len(notes)}, {characters / len(notes):.0f} characters each")
    for name, time_taken in (("spaCy's tokenizer alone", tokenizer), ("medtext, whole pipeline", whole)):
        print(
            f"{name:26} {1000 * time_taken / len(notes):7.2f} ms a note {len(notes) / time_taken:8.0f} notes/s "
            f"{characters / time_taken / 1e6:6.2f} M characters/s"
        )
    print(f"multiple of the tokenizer  {median(ours / bare for ours, bare in pairs):.2f}")
    steps = step_times(nlp, notes)
    for name, time_taken in steps:
        print(f"  {name:24} {1000 * time_taken / len(notes):7.2f} ms a note")
    print(f"start-up (import and load) {started:.1f} s")
    print(f"peak memory                {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def step_times(nlp: object, notes: Sequence[str]) -> list[tuple[str, float]]:
    """Processor seconds of each step, a note at a time, as they run."""
    clock = time.process_time
    times: dict[str, float] = {}
    for note in notes:
        begin = clock()
        doc = nlp.make_doc(note)  # type: ignore[attr-defined]
        times["tokenizer"] = times.get("tokenizer", 0.0) + clock() - begin
        for name, step in nlp.pipeline:  # type: ignore[attr-defined]
            begin = clock()
            doc = step(doc)
            times[name] = times.get(name, 0.0) + clock() - begin
    return list(times.items())


if __name__ == "__main__":
    main()
