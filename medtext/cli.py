"""The command line: thin wrappers round functions that a program can call as well.

Exit status: 0 all notes done; 3 some notes failed (they are listed); 2 wrong usage; 1 anything else. An error is one
sentence; tracebacks are not shown, since they may quote.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medtext.config import Config
from medtext.errors import MedtextError, UsageError
from medtext.version import __version__

if TYPE_CHECKING:
    from medtext.schema import Note, Record

SOME_FAILED = 3
PLAIN_LINE_SECONDS = 15.0  # between lines of progress where there is no terminal

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Clinical entities, traits and protected health information from notes, on your own machine.",
)
log = logging.getLogger("medtext")


def main() -> None:
    """Runs the command line; ends the process with its exit status."""
    try:
        app()
    except UsageError as error:
        _stop(str(error), 2)
    except MedtextError as error:
        _stop(str(error), 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _stop("The disk is full." if error.errno == errno.ENOSPC else f"The system refuses: {error.strerror}.", 1)
    except KeyboardInterrupt:
        _stop("Stopped.", 130)
    except Exception as error:  # noqa: BLE001 - its message may quote a note
        _stop(f"medtext broke down ({type(error).__name__}); this is a fault of medtext's.", 1)


def _stop(message: str, status: int) -> None:
    typer.echo(message, err=True)
    sys.exit(status)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"medtext {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error; logs never hold note text.")] = "warning",
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    level = logging.getLevelName(log_level.upper())
    if not isinstance(level, int):
        raise UsageError(f"There is no log level {log_level!r}; there are debug, info, warning and error.")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    log.addHandler(handler)
    log.setLevel(level)


Notes = Annotated[list[str], typer.Argument(help="Files, folders (their *.txt), .jsonl, .csv, .parquet, .gz of these, or -.")]
Model = Annotated[str, typer.Option(help="A shipped model's name, or a model's folder.")]


@app.command()
def extract(
    notes: Notes,
    out: Annotated[str, typer.Option("--out", "-o", help="A folder, something.jsonl, something.parquet, or -.")],
    format: Annotated[str | None, typer.Option(help="json (a file a note), jsonl or parquet, in the folder.")] = None,  # noqa: A002
    categories: Annotated[str | None, typer.Option(help="Keep these categories only, separated by commas.")] = None,
    min_score: Annotated[float, typer.Option(help="Drop what scores less, from 0 to 1.")] = 0.0,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    timeout: Annotated[float | None, typer.Option(help="Seconds that a note may take.")] = None,
    text_column: Annotated[str | None, typer.Option(help="The column that holds the text.")] = None,
    id_column: Annotated[str | None, typer.Option(help="The column that holds the id.")] = None,
    encoding: Annotated[str, typer.Option(help="The encoding of text files and tables.")] = "utf-8",
    hash_ids: Annotated[bool, typer.Option("--hash-ids", help="Write hashes for ids (keyed by MEDTEXT_HASH_KEY).")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is there.")] = False,
    model: Model = "fast",
    rules: Annotated[Path | None, typer.Option(help="A folder of rules instead of the shipped ones.")] = None,
) -> None:
    """Read notes and write a record of entities with offsets for each."""
    from medtext.engines.local import Job, run
    from medtext.readers import Source, TableColumns, read
    from medtext.readers.notes import check, count
    from medtext.writers import Target, open_writer
    from medtext.writers.records import done

    config = Config(model, rules, tuple(filter(None, (categories or "").split(","))), min_score)
    source = Source(tuple(notes), TableColumns(text_column, id_column), encoding)
    target = Target(out, format, force, resume)
    check(source)
    finished = done(target)
    with open_writer(target) as write:
        given = (_named(item, hash_ids) for item in read(source))
        waiting = (item for item in given if _name(item) not in finished)
        tally = Tally()
        for record in progress(run(waiting, config, Job(workers, timeout)), count(source)):
            write(record)
            tally.add(record)
    tally.report(out, len(finished))
    if tally.failed:
        raise typer.Exit(SOME_FAILED)


def _name(item: Note | Record) -> str:
    from medtext.schema import Record

    return item.document_id if isinstance(item, Record) else item.id


def _named(item: Note | Record, hashed: bool) -> Note | Record:
    if not hashed:
        return item
    from medtext.schema import Record

    name = hash_id(_name(item))
    return replace(item, document_id=name) if isinstance(item, Record) else replace(item, id=name)


def hash_id(name: str) -> str:
    """A name that stands for `name` (BLAKE2b, keyed by MEDTEXT_HASH_KEY where that is set): the same one each time."""
    key = os.environ.get("MEDTEXT_HASH_KEY", "").encode()[:64]
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=12, key=key).hexdigest()


class Tally:
    """Counts what was found, for the lines at the end."""

    def __init__(self) -> None:
        self.notes = 0
        self.failed: list[tuple[str, str]] = []
        self.types: Counter[tuple[str, str]] = Counter()

    def add(self, record: Record) -> None:
        self.notes += 1
        if record.error:
            self.failed.append((record.document_id, f"{record.error.code}: {record.error.message}"))
        for entity in record.entities:
            self.types[entity.category, entity.type] += 1

    def report(self, out: str, before: int) -> None:
        """Says on standard error what was done; ids are the only words of the user's in it."""
        if before:
            _say(f"{before} notes were done before.")
        for (category, kind), count in sorted(self.types.items()):
            _say(f"{count:7} {category:32} {kind}")
        place = "standard output" if out == "-" else out
        _say(f"{self.notes} notes read, {self.notes - len(self.failed)} done, {len(self.failed)} failed; records in {place}")
        for name, message in self.failed:
            _say(f"failed: {name}: {message}")


def _say(line: str) -> None:
    """A line on standard error, whatever is in the ids."""
    typer.echo(line.encode("utf-8", "backslashreplace").decode(), err=True)


def progress(records: Iterable[Record], total: int | None) -> Iterator[Record]:
    """The records, with a progress bar on a terminal and plain lines elsewhere, on standard error."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    yield from tqdm(
        records,
        total=total,
        unit=" notes",
        file=sys.stderr,
        ascii=not terminal,
        dynamic_ncols=terminal,
        mininterval=0.1 if terminal else PLAIN_LINE_SECONDS,
        delay=0 if terminal else PLAIN_LINE_SECONDS,
        bar_format=None if terminal else "{n_fmt} notes, {rate_fmt}, {remaining} left\n",
        leave=terminal,
    )


@app.command()
def view(
    note: Annotated[str, typer.Argument(help="A text file, or -.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the page here instead; it holds the note.")] = None,
    model: Model = "fast",
    encoding: Annotated[str, typer.Option(help="The note's encoding.")] = "utf-8",
) -> None:
    """Show a note with its entities marked, in the browser."""
    from medtext.api import extract as extract_one
    from medtext.schema import Note
    from medtext.view import page, show

    item = _single(note, encoding)
    if not isinstance(item, Note):
        raise UsageError(item.error.message if item.error else "The note cannot be read.")
    record = extract_one(item.text, config=Config(model), document_id=item.id)
    if record.error:
        raise UsageError(record.error.message)
    content = page(item.text, record)
    if out:
        if out.exists():
            raise UsageError(f"{out} exists; name another file.")
        out.write_text(content, encoding="utf-8")
    elif not show(content):
        raise UsageError("No browser can be opened here; write the page to a file with --out.")


def _single(note: str, encoding: str) -> Note | Record:
    """The one note of a text file or of standard input."""
    from medtext.readers import Source, read
    from medtext.readers.notes import check
    from medtext.schema import Note

    if note == "-":
        return Note("stdin", sys.stdin.buffer.read().decode(encoding, "replace"))
    source = Source((note,), encoding=encoding)
    check(source)
    items = list(zip(read(source), range(2), strict=False))
    if len(items) != 1:
        raise UsageError("Name one text file.")
    return items[0][0]


@app.command()
def evaluate(
    gold: Annotated[Path, typer.Argument(help="JSON Lines of notes with their spans, as the docs describe.")],
    predicted: Annotated[Path | None, typer.Argument(help="Records to score; without them, medtext reads the notes.")] = None,
    given_spans: Annotated[bool, typer.Option("--given-spans", help="Take gold's spans; score traits and links.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    model: Model = "fast",
    rules: Annotated[Path | None, typer.Option(help="A folder of rules instead of the shipped ones.")] = None,
) -> None:
    """Score medtext, or records, against gold: precision, recall and F1 of spans, traits and links."""
    import json

    from medtext.evaluate import evaluate_files

    scores = evaluate_files(gold, predicted, Config(model, rules), given_spans=given_spans)
    typer.echo(json.dumps(scores.to_json(), indent=1) if as_json else scores.table())
