"""The command line: thin wrappers round functions that a program can call as well.

Exit status: 0 all notes done; 3 some notes failed (they are listed); 2 wrong usage; 1 anything else. An error is one
sentence; tracebacks are not shown, since they may quote.
"""

from __future__ import annotations

import errno
import logging
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from medtext.config import Config
from medtext.errors import MedtextError, UsageError
from medtext.version import __version__

if TYPE_CHECKING:
    from medtext.schema import Note, Record
    from medtext.writers import Target

SOME_FAILED = 3
INTERRUPTED = 130  # what typer makes of Ctrl-C
PLAIN_LINE_SECONDS = 15.0  # between lines of progress where there is no terminal

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Clinical entities, traits and protected health information from notes, on your own machine.",
)
log = logging.getLogger("medtext")
WrongCommand: type[Any] = typer.BadParameter.__mro__[2]  # click's ClickException, wherever this typer keeps its click


def main() -> None:
    """Runs the command line; ends the process with its exit status."""
    try:
        status = app(standalone_mode=False) or 0
    except UsageError as error:
        _stop(str(error), 2)
    except WrongCommand as error:
        _stop(f"{error.format_message().rstrip('.')}; see medtext --help.", 2)
    except MedtextError as error:
        _stop(str(error), 1)
    except OSError as error:
        full = "The disk is full; make room, and go on with --resume."
        _stop(full if error.errno == errno.ENOSPC else f"The system refuses: {error.strerror or 'no reason given'}.", 1)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except Exception as error:  # its message may quote a note
        _stop(f"medtext broke down ({type(error).__name__}); this is a fault of medtext's.", 1)
    if status == INTERRUPTED:
        _stop("Stopped; --resume goes on.", 1)
    sys.exit(status)


def _stop(message: str, status: int) -> NoReturn:
    _say(message)
    sys.exit(status)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"medtext {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error; none holds text.")] = "warning",
    version: Annotated[  # noqa: ARG001 - its callback reads it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    level = logging.getLevelName(log_level.upper())
    if not isinstance(level, int):
        raise UsageError(f"There is no log level {log_level!r}; there are debug, info, warning and error.")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    log.addHandler(handler)
    log.setLevel(level)


Notes = Annotated[
    list[str], typer.Argument(help="Files, folders (their *.txt), .jsonl, .csv, .parquet, .gz of these, or -.")
]
Model = Annotated[str, typer.Option(help="fast, accurate, or a model's folder.")]


@app.command()
def extract(
    notes: Notes,
    out: Annotated[str, typer.Option("--out", "-o", help="A folder, something.jsonl, something.parquet, or -.")],
    format: Annotated[str | None, typer.Option(help="json (a file a note), jsonl or parquet, in the folder.")] = None,
    categories: Annotated[str | None, typer.Option(help="Keep these categories only, separated by commas.")] = None,
    min_score: Annotated[float, typer.Option(help="Drop what scores less, from 0 to 1.")] = 0.0,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    engine: Annotated[str, typer.Option(help="local, or spark (needs the extra `spark` and Java 17).")] = "local",
    timeout: Annotated[float | None, typer.Option(help="Seconds that a note may take.")] = None,
    text_column: Annotated[str | None, typer.Option(help="The column that holds the text.")] = None,
    id_column: Annotated[str | None, typer.Option(help="The column that holds the id.")] = None,
    encoding: Annotated[str, typer.Option(help="The encoding of text files and tables.")] = "utf-8",
    hash_ids: Annotated[
        bool, typer.Option("--hash-ids", help="Write hashes of ids (keyed by MEDTEXT_HASH_KEY).")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is there.")] = False,
    model: Model = "fast",
    rules: Annotated[Path | None, typer.Option(help="A folder of rules instead of the shipped ones.")] = None,
) -> None:
    """Read notes and write a record of entities with offsets for each."""
    from medtext.engines import spark
    from medtext.engines.local import Job, run
    from medtext.readers import Source, TableColumns, check, count, read
    from medtext.tally import Tally, with_hashed_id
    from medtext.writers import Target, done, open_writer

    if engine not in ("local", "spark"):
        raise UsageError(f"There is no engine {engine!r}; there are local and spark.")
    if engine == "spark" and resume:
        raise UsageError("Spark starts again and does not resume; leave --resume out.")
    config = Config(model, rules, _listed(categories), min_score)
    job = Job(workers, timeout)
    source = Source(tuple(notes), TableColumns(text_column, id_column), encoding)
    target = Target(out, format, force, resume)
    check(source)
    _refuse_to_overwrite_notes(source.paths, target)
    tally = Tally()
    named = map(with_hashed_id, read(source)) if hash_ids else read(source)
    todo = tally.not_yet(done(target), named)
    records = run(todo, config, job) if engine == "local" else spark.run(todo, source, config, job)
    with open_writer(target) as write:
        for record in progress(records, count(source)):
            write(record)
            tally.add(record)
    for line in tally.report("standard output" if out == "-" else out):
        _say(line)
    if tally.failed:
        raise typer.Exit(SOME_FAILED)


def _listed(categories: str | None) -> tuple[str, ...]:
    return tuple(name.strip().upper() for name in (categories or "").split(",") if name.strip())


def _refuse_to_overwrite_notes(paths: Iterable[str], target: Target) -> None:
    """--force is not meant for the notes themselves."""
    if target.kind != "json" and any(target.file.exists() and _is_file(path, target.file) for path in paths):
        raise UsageError(f"{target.path} holds the notes that are to be read; name another output.")


def _is_file(path: str, file: Path) -> bool:
    return path != "-" and Path(path).exists() and Path(path).samefile(file)


def _say(line: str) -> None:
    """A line on standard error, whatever is in the ids: what a terminal would obey or cannot show is spelled out."""
    plain = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
    typer.echo(plain.encode(sys.stderr.encoding or "utf-8", "backslashreplace"), err=True)


def progress(records: Iterable[Record], total: int | None) -> Iterator[Record]:
    """The records, with a progress bar on a terminal and plain lines elsewhere, on standard error."""
    from tqdm import tqdm

    if sys.stderr.isatty():
        yield from tqdm(records, total=total, unit=" notes", file=sys.stderr, dynamic_ncols=True)
        return
    start = said = time.monotonic()
    for number, record in enumerate(records, 1):
        yield record
        if (now := time.monotonic()) - said >= PLAIN_LINE_SECONDS:
            said = now
            rate = number / (now - start)
            left = f", {tqdm.format_interval((total - number) / rate)} left" if total else ""
            _say(f"{number} notes, {rate:.1f} a second{left}")


@app.command()
def view(
    note: Annotated[str, typer.Argument(help="A text file, or -.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the page here instead; it holds the note.")
    ] = None,
    model: Model = "fast",
    encoding: Annotated[str, typer.Option(help="The note's encoding.")] = "utf-8",
) -> None:
    """Show a note with its entities marked, in the browser."""
    from medtext.api import extract as extract_one
    from medtext.schema import Note
    from medtext.view import page

    item = _single(note, encoding)
    if not isinstance(item, Note):
        raise UsageError(item.error.message if item.error else "The note cannot be read.")
    record = extract_one(item.text, config=Config(model), document_id=item.id)
    if record.error:
        raise UsageError(record.error.message)
    _present(page(item.text, record), out)


@app.command()
def report(
    records: Annotated[Path, typer.Argument(help="What extract wrote: a folder, .jsonl or .parquet.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the page here instead.")] = None,
    ids: Annotated[bool, typer.Option("--ids", help="Also list the ids of notes that failed.")] = False,
    log_file: Annotated[
        Path | None, typer.Option("--log", help="What extract --log-json said of the job, for its throughput.")
    ] = None,
) -> None:
    """Show what is in records as a page of plots, in the browser. No text of the notes is on it."""
    from medtext.report import count, page

    _present(page(count(records, log_file), ids), out)


def _present(content: str, out: Path | None) -> None:
    """Opens a page in the browser, or writes it to a file."""
    from medtext.view import show

    if out:
        if out.exists():
            raise UsageError(f"{out} exists; name another file.")
        out.write_text(content, encoding="utf-8")
    elif not show(content):
        raise UsageError("No browser can be opened here; write the page to a file with --out.")


def _single(note: str, encoding: str) -> Note | Record:
    """The one note of a text file or of standard input."""
    from medtext.readers import Source, read

    items = list(islice(read(Source((note,), encoding=encoding)), 2))
    if len(items) != 1:
        raise UsageError("Name one text file.")
    return items[0]


@app.command()
def evaluate(
    gold: Annotated[Path, typer.Argument(help="JSON Lines of notes with their spans, as the docs describe.")],
    predicted: Annotated[
        Path | None, typer.Argument(help="Records to score; without them, medtext reads the notes.")
    ] = None,
    given_spans: Annotated[
        bool, typer.Option("--given-spans", help="Take gold's spans; score traits and links.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    model: Model = "fast",
    rules: Annotated[Path | None, typer.Option(help="A folder of rules instead of the shipped ones.")] = None,
) -> None:
    """Score medtext, or records, against gold: precision, recall and F1 of spans, traits and links."""
    import json

    from medtext.evaluate import evaluate_files

    scores = evaluate_files(gold, predicted, Config(model, rules), given_spans=given_spans)
    typer.echo(json.dumps(scores.to_json(), indent=1) if as_json else scores.table())


@app.command()
def train(
    gold: Annotated[list[Path], typer.Argument(help="JSON Lines of notes with their spans, as the docs describe.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The new model's folder; --model takes it.")],
    dev: Annotated[
        Path | None, typer.Option(help="Gold notes to test on; without them, every fifth note is held out.")
    ] = None,
    model: Annotated[str, typer.Option(help="The model to train on from.")] = "fast",
    from_scratch: Annotated[bool, typer.Option("--from-scratch", help="Start from nothing instead.")] = False,
    epochs: Annotated[int | None, typer.Option(min=1, help="How often each note is seen.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 0,
) -> None:
    """Train a model on your own annotated notes. Needs the extra `train`."""
    try:
        from medtext.training.retrain import retrain
    except ModuleNotFoundError as error:
        raise UsageError(f"Training needs {error.name}; install the extra: pip install 'medtext-nlp[train]'.") from None

    retrain(gold, out, dev=dev, start=None if from_scratch else model, epochs=epochs, seed=seed, say=typer.echo)
