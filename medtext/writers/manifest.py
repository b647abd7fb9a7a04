"""The manifest of a job, in the shape of that of Amazon Comprehend Medical's batch jobs.

    manifest.json            {"Summary": {"Status": …, …}}; there when the job is done
    successful_files.json    {"Files": [{"Input": id, "Output": file, "InputSize": characters}]}
    unprocessed_files.json   {"Files": [{"Input": id, "ErrorCode": …, "ErrorMessage": …}]}

The same notes give the same manifest, so it holds no times.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from medtext.schema import Failure
from medtext.writers.target import replacing

MANIFEST = "manifest.json"
SUCCESSFUL = "successful_files.json"
UNPROCESSED = "unprocessed_files.json"


def write_manifest(
    folder: Path, notes: Iterable[tuple[str, str, int, Failure | None]], inputs: Iterable[str], model: str
) -> None:
    """Writes the lists and then the summary of `(id, file, characters, failure)` of every note, in order."""
    with file_list(folder / SUCCESSFUL) as done, file_list(folder / UNPROCESSED) as failed:
        characters = 0
        for name, file, length, error in notes:
            if error:
                failed.add({"Input": name, "ErrorCode": error.code, "ErrorMessage": error.message})
            else:
                done.add({"Input": name, "Output": file, "InputSize": length})
                characters += length
    summary = {
        "Status": "COMPLETED" if not failed.count else "PARTIAL_SUCCESS" if done.count else "FAILED",
        "JobType": "EntitiesDetection",
        "ModelVersion": model,
        "InputDataConfiguration": {"Path": ", ".join(inputs)},
        "OutputDataConfiguration": {"Path": "."},
        "InputFileCount": done.count + failed.count,
        "TotalMeteredCharacters": characters,
        "UnprocessedFilesCount": failed.count,
        "SuccessFilesCount": done.count,
        "SuccessfulFilesListLocation": SUCCESSFUL,
        "UnprocessedFilesListLocation": UNPROCESSED,
    }
    with replacing(folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps({"Summary": summary}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


class Files:
    """The entries of a list of files, written as they come."""

    def __init__(self, out: IO[str]) -> None:
        self.count = 0
        self._out = out

    def add(self, entry: Mapping[str, object]) -> None:
        self._out.write(f"{',' if self.count else ''}\n{json.dumps(entry, ensure_ascii=False)}")
        self.count += 1


@contextmanager
def file_list(path: Path) -> Iterator[Files]:
    """A JSON file of `{"Files": […]}`."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as out:
        out.write('{"Files": [')
        yield Files(out)
        out.write("\n]}\n")
