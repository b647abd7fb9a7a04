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
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from medtext.config import Config
from medtext.errors import MedtextError, UsageError
from medtext.policy import PHI, Policy, load_policy
from medtext.version import __version__

if TYPE_CHECKING:
    from medtext.deid.redact import Redaction
    from medtext.engines.local import Job
    from medtext.readers import Source
    from medtext.report import LeakReport
    from medtext.schema import Note, Record
    from medtext.tally import Tally
    from medtext.writers import Target

T = TypeVar("T")
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
Out = Annotated[str, typer.Option("--out", "-o", help="A folder, something.jsonl, something.parquet, or -.")]
Format = Annotated[str | None, typer.Option(help="json (a file a note), jsonl or parquet, in the folder.")]
Score = Annotated[float, typer.Option(help="Drop what scores less, from 0 to 1.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes.")]
Timeout = Annotated[float | None, typer.Option(help="Seconds that a note may take.")]
TextColumn = Annotated[str | None, typer.Option(help="The column that holds the text.")]
IdColumn = Annotated[str | None, typer.Option(help="The column that holds the id.")]
Encoding = Annotated[str, typer.Option(help="The encoding of text files and tables.")]
HashIds = Annotated[bool, typer.Option("--hash-ids", help="Write hashes of ids (keyed by MEDTEXT_HASH_KEY).")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with what is there.")]
Model = Annotated[str, typer.Option(help="fast, accurate, or a model's folder.")]
Rules = Annotated[Path | None, typer.Option(help="A folder of rules instead of the shipped ones.")]
PolicyName = Annotated[
    str | None,
    typer.Option("--policy", help="safe-harbor, limited-data-set, expert or a .toml file: which PHI counts."),
]


@app.command()
def extract(
    notes: Notes,
    out: Out,
    format: Format = None,
    categories: Annotated[str | None, typer.Option(help="Keep these categories only, separated by commas.")] = None,
    min_score: Score = 0.0,
    policy: PolicyName = None,
    workers: Workers = 1,
    timeout: Timeout = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    encoding: Encoding = "utf-8",
    hash_ids: HashIds = False,
    force: Force = False,
    resume: Resume = False,
    model: Model = "fast",
    rules: Rules = None,
) -> None:
    """Read notes and write a record of entities with offsets for each."""
    from medtext.engines.local import Job
    from medtext.readers import Source, TableColumns
    from medtext.writers import Target

    config = Config(model, rules, _listed(categories), min_score, policy=_policy(policy, rules))
    source = Source(tuple(notes), TableColumns(text_column, id_column), encoding)
    _extract(source, config, Job(workers, timeout), Target(out, format, force, resume), hash_ids)


@app.command()
def phi(
    notes: Notes,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="A folder, something.jsonl, something.parquet, or -.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="A leak report: a .html or .json file, with or without -o.")
    ] = None,
    format: Format = None,
    min_score: Score = 0.0,
    policy: PolicyName = None,
    workers: Workers = 1,
    timeout: Timeout = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    encoding: Encoding = "utf-8",
    hash_ids: HashIds = False,
    force: Force = False,
    resume: Resume = False,
    model: Model = "fast",
    rules: Rules = None,
) -> None:
    """Read notes and write a record of protected health information for each, or a report of how much there is."""
    from medtext.engines.local import Job
    from medtext.readers import Source, TableColumns
    from medtext.report import LeakReport
    from medtext.writers import Target

    if out is None and report is None:
        raise UsageError("Say where the records go with -o, or the report with --report.")
    if report:
        _check_report(report, force, resume)
    config = Config(model, rules, (PHI,), min_score, policy=_policy(policy, rules))
    source = Source(tuple(notes), TableColumns(text_column, id_column), encoding)
    target = Target(out, format, force, resume) if out else None
    leaks = LeakReport() if report else None
    _extract(source, config, Job(workers, timeout), target, hash_ids, leaks, report)


def _check_report(report: Path, force: bool, resume: bool) -> None:
    if report.suffix not in (".html", ".json"):
        raise UsageError(f"A report is a .html or a .json file, which {report} is not.")
    if resume:
        raise UsageError("A report counts all notes; leave --resume out.")
    if report.exists() and not force:
        raise UsageError(f"{report} exists; --force overwrites it.")


def _extract(
    source: Source,
    config: Config,
    job: Job,
    target: Target | None,
    hash_ids: bool,
    leaks: LeakReport | None = None,
    report: Path | None = None,
) -> None:
    """Reads the source and writes its records to the target and what they add up to into the report, where there are these."""
    import json

    from medtext.engines.local import run
    from medtext.readers import check, count
    from medtext.tally import Tally
    from medtext.writers import done, open_writer

    check(source)
    if target:
        _refuse_to_overwrite_notes(source.paths, target)
    tally = Tally()
    records = run(tally.not_yet(done(target) if target else _nothing, _named(source, hash_ids)), config, job)
    with open_writer(target) if target else nullcontext() as write:
        for record in progress(records, count(source)):
            if write:
                write(record)
            if leaks:
                leaks.add(record)
            tally.add(record)
    if leaks and report:
        content = json.dumps(leaks.to_json(), indent=1) + "\n" if report.suffix == ".json" else leaks.to_html()
        report.write_text(content, encoding="utf-8")
    place = str(report) if target is None else "standard output" if target.path == "-" else target.path
    _end(tally, place, "records" if target else "report")


def _named(source: Source, hash_ids: bool) -> Iterator[Note | Record]:
    from medtext.readers import read
    from medtext.tally import with_hashed_id

    return map(with_hashed_id, read(source)) if hash_ids else read(source)


def _nothing(_document_id: str) -> bool:
    return False


def _end(tally: Tally, place: str, what: str) -> None:
    """What was done, and the exit status."""
    for line in tally.report(place, what):
        _say(line)
    if tally.failed:
        raise typer.Exit(SOME_FAILED)


def _policy(name: str | None, rules: Path | None) -> Policy | None:
    return load_policy(name, rules) if name else None


@app.command()
def redact(
    notes: Notes,
    out: Annotated[
        str, typer.Option("--out", "-o", help="A folder of text files, something.jsonl, something.parquet, or -.")
    ],
    mode: Annotated[
        str, typer.Option(help="mask, tag, hash or surrogate; the last two need MEDTEXT_HASH_KEY.")
    ] = "mask",
    policy: Annotated[
        str, typer.Option(help="safe-harbor, limited-data-set, expert or a .toml file: which PHI counts.")
    ] = "safe-harbor",
    patient_column: Annotated[
        str | None,
        typer.Option(help="The column that says whose note it is: surrogates stay the same within a patient."),
    ] = None,
    map: Annotated[Path | None, typer.Option(help="Write where offsets went here, as JSON Lines.")] = None,
    workers: Workers = 1,
    timeout: Timeout = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    encoding: Encoding = "utf-8",
    hash_ids: HashIds = False,
    force: Force = False,
    resume: Resume = False,
    model: Model = "fast",
    rules: Rules = None,
) -> None:
    """Write notes without their protected health information. It finds most, not all: look before you share."""
    from medtext.deid.redact import Redaction
    from medtext.engines.local import Job
    from medtext.readers import Source, TableColumns
    from medtext.writers import Target

    how = Redaction(mode, load_policy(policy, rules), rules=rules)
    source = Source(tuple(notes), TableColumns(text_column, id_column, patient_column), encoding)
    target = Target(out, "jsonl" if out == "-" else None, force, resume, notes=True)
    _redact(source, Config(model, rules, (PHI,)), Job(workers, timeout), how, target, map, hash_ids)


def _redact(
    source: Source, config: Config, job: Job, how: Redaction, target: Target, map: Path | None, hash_ids: bool
) -> None:
    from medtext.engines.redaction import redact_all
    from medtext.readers import check, count
    from medtext.schema import Note
    from medtext.tally import Tally
    from medtext.writers import done, maps_writer, open_writer

    check(source)
    _refuse_to_overwrite_notes(source.paths, target)
    tally = Tally()
    outcomes = redact_all(tally.not_yet(done(target), _named(source, hash_ids)), config, job, how)
    with maps_writer(map, target) as write_map, open_writer(target) as write:
        for outcome in progress(outcomes, count(source)):
            if outcome.redacted:
                write(Note(outcome.record.document_id, outcome.redacted.text))
                write_map(outcome.record.document_id, outcome.redacted.replaced)
            tally.add(outcome.counted)
    _end(tally, "standard output" if target.path == "-" else target.path, "redacted notes")


def _listed(categories: str | None) -> tuple[str, ...]:
    return tuple(name.strip().upper() for name in (categories or "").split(",") if name.strip())


def _refuse_to_overwrite_notes(paths: Iterable[str], target: Target) -> None:
    """--force is not meant for the notes themselves."""
    folder = Path(target.path).resolve()
    named = [Path(path).resolve() for path in paths if path != "-"]
    inside = any(folder == path or path in folder.parents or folder == path.parent for path in named)
    if target.notes and target.path != "-" and target.kind == "json" and inside:
        raise UsageError(f"{target.path} is where the notes are that are to be read; name another folder.")
    if target.kind != "json" and any(target.file.exists() and _is_file(path, target.file) for path in paths):
        raise UsageError(f"{target.path} holds the notes that are to be read; name another output.")


def _is_file(path: str, file: Path) -> bool:
    return path != "-" and Path(path).exists() and Path(path).samefile(file)


def _say(line: str) -> None:
    """A line on standard error, whatever is in the ids: what a terminal would obey or cannot show is spelled out."""
    plain = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
    typer.echo(plain.encode(sys.stderr.encoding or "utf-8", "backslashreplace"), err=True)


def progress(records: Iterable[T], total: int | None) -> Iterator[T]:
    """The records or outcomes, with a progress bar on a terminal and plain lines elsewhere, on standard error."""
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
