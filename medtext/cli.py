"""The command line: thin wrappers round functions that a program can call as well.

Exit status: 0 all notes done; 3 some notes failed (they are listed); 2 wrong usage; 1 anything else. An error is one
sentence; tracebacks are not shown, since they may quote.
"""

from __future__ import annotations

import errno
import logging
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from medtext.config import CAREFUL, Config
from medtext.errors import MedtextError, UsageError
from medtext.policy import PHI, Policy, load_policy
from medtext.schema import CODED, TERMINOLOGIES
from medtext.version import __version__

if TYPE_CHECKING:
    from medtext.deid.redact import Redaction
    from medtext.engines.local import Job
    from medtext.leaks import LeakReport
    from medtext.readers import Source
    from medtext.schema import Note, Record
    from medtext.tally import Tally
    from medtext.writers import Target
    from medtext.writers.redacted import RedactedTarget

SOME_FAILED = 3
INTERRUPTED = 130  # what typer makes of Ctrl-C

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Clinical entities, traits and protected health information from notes, on your own machine.",
)
log = logging.getLogger("medtext")
WrongCommand: type[Any] = typer.BadParameter.__mro__[2]  # click's ClickException, wherever this typer keeps its click


def main() -> None:
    """Runs the command line; ends the process with its exit status."""
    for number in (signal.SIGINT, signal.SIGTERM):  # both as Ctrl-C: workers are stopped, nothing is left half done
        signal.signal(number, _interrupt)
    try:
        status = app(standalone_mode=False) or 0
    except UsageError as error:
        _stop(str(error), 2)
    except WrongCommand as error:
        _stop(f"{error.format_message().rstrip('.?')}; see medtext --help.", 2)
    except MedtextError as error:
        _stop(str(error), 1)
    except OSError as error:
        _stop(_refused(error), 1)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except Exception as error:  # its message may quote a note
        _stop(f"medtext broke down ({type(error).__name__}); this is a fault of medtext's.", 1)
    if status == INTERRUPTED:
        _stop("Stopped; --resume goes on." if voice.resumes else "Stopped.", 1)
    sys.exit(status)


def _refused(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"The disk is full; make room, and {'go on with --resume' if voice.resumes else 'start again'}."
    name = error.filename if isinstance(error.filename, str) else ""
    typed = any(argument.startswith(name) for argument in sys.argv)  # another may be a note's, and say whose
    place = f" {name}" if name and typed else ""
    return f"The system refuses{place}: {error.strerror or 'no reason given'}."


@dataclass
class Stop:
    """Whether somebody asked the job to stop."""

    asked: bool = False


stop = Stop()


def _interrupt(_number: int, _frame: object) -> NoReturn:
    stop.asked = True
    raise KeyboardInterrupt


def _unless_stopped(records: Iterable[Record]) -> Iterator[Record]:
    """The records. Python ignores an interrupt that falls into a destructor; it is not lost here."""
    for record in records:
        if stop.asked:
            raise KeyboardInterrupt
        yield record


@dataclass
class Voice:
    """How messages are put: as lines, or as JSON for machines; and whether what breaks off can be resumed."""

    json: bool = False
    resumes: bool = False


voice = Voice()


def _stop(message: str, status: int) -> NoReturn:
    if voice.json:
        from medtext.progress import event

        event("end", status=status, error=message)
    else:
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
Threshold = Annotated[
    float | None,
    typer.Option(help="How likely PHI must be, up to 1: lower misses less, flags more. 0.2, or 0.1 to redact."),
]
ALL_TERMINOLOGIES = ",".join(CODED)
TerminologyNames = Annotated[
    str, typer.Option("--concepts", help="Give codes of these terminologies, separated by commas; none for no codes.")
]
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
ShardNotes = Annotated[
    int, typer.Option(min=1, help="Notes of a shard, at most: of a file of jsonl or parquet in the folder.")
]
LogJson = Annotated[
    bool, typer.Option("--log-json", help="Say on standard error what is done in JSON Lines, for machines.")
]
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
    concepts: TerminologyNames = ALL_TERMINOLOGIES,
    policy: PolicyName = None,
    phi_threshold: Threshold = None,
    workers: Workers = 1,
    engine: Annotated[str, typer.Option(help="local, or spark (needs the extra `spark` and Java 17).")] = "local",
    timeout: Timeout = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    encoding: Encoding = "utf-8",
    hash_ids: HashIds = False,
    force: Force = False,
    resume: Resume = False,
    model: Model = "fast",
    rules: Rules = None,
    shard_notes: ShardNotes = 5_000,
    log_json: LogJson = False,
) -> None:
    """Read notes and write a record of entities with offsets for each."""
    from medtext.engines.local import Job
    from medtext.readers import Source, TableColumns
    from medtext.writers import Target

    if engine not in ("local", "spark"):
        raise UsageError(f"There is no engine {engine!r}; there are local and spark.")
    if engine == "spark" and resume:
        raise UsageError("Spark starts again and does not resume; leave --resume out.")
    voice.json = log_json
    config = Config(
        model,
        rules,
        _listed(categories),
        min_score,
        concepts=_terminologies(concepts),
        policy=_policy(policy, rules),
        phi_threshold=phi_threshold,
    )
    source = Source(tuple(notes), TableColumns(text_column, id_column), encoding)
    target = Target(out, format, force, resume)
    _extract(source, config, Job(workers, timeout), target, hash_ids, shard_notes, engine=engine)


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
    phi_threshold: Threshold = None,
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
    shard_notes: ShardNotes = 5_000,
    log_json: LogJson = False,
) -> None:
    """Read notes and write a record of protected health information for each, or a report of how much there is."""
    from medtext.engines.local import Job
    from medtext.leaks import LeakReport
    from medtext.readers import Source, TableColumns
    from medtext.writers import Target

    voice.json = log_json
    if out is None and report is None:
        raise UsageError("Say where the records go with -o, or the report with --report.")
    if report:
        _check_report(report, force, resume)
        report.parent.mkdir(parents=True, exist_ok=True)
    config = Config(model, rules, (PHI,), min_score, policy=_policy(policy, rules), phi_threshold=phi_threshold)
    source = Source(tuple(notes), TableColumns(text_column, id_column), encoding)
    target = Target(out, format, force, resume) if out else None
    leaks = LeakReport() if report else None
    _extract(source, config, Job(workers, timeout), target, hash_ids, shard_notes, leaks, report)


def _coding_command(terminology: str, what: str) -> None:
    """The command that narrows `extract` to what one terminology has codes for."""

    def command(
        notes: Notes,
        out: Out,
        format: Format = None,
        min_score: Score = 0.0,
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
        shard_notes: ShardNotes = 5_000,
        log_json: LogJson = False,
    ) -> None:
        extract(
            notes,
            out,
            format,
            ",".join(CODED[terminology]),
            min_score,
            terminology,
            workers=workers,
            timeout=timeout,
            text_column=text_column,
            id_column=id_column,
            encoding=encoding,
            hash_ids=hash_ids,
            force=force,
            resume=resume,
            model=model,
            rules=rules,
            shard_notes=shard_notes,
            log_json=log_json,
        )

    called = TERMINOLOGIES[terminology]
    app.command(terminology, help=f"Read notes and write a record of {what} with codes of {called} for each.")(command)


_coding_command("icd10cm", "conditions")
_coding_command("rxnorm", "medications")
_coding_command("snomedct", "conditions, tests, procedures, treatments and anatomy")


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
    shard_notes: int,
    leaks: LeakReport | None = None,
    report: Path | None = None,
    engine: str = "local",
) -> None:
    """Reads the source and writes its records to the target and what they add up to into the report, where there are these."""
    import json

    from medtext.engines import local, spark
    from medtext.hashing import hash_id, job_settings
    from medtext.readers import check, count
    from medtext.tally import Tally
    from medtext.writers import StandardOutput, is_whole, open_output

    check(source)
    if target:
        _refuse_to_overwrite_notes(source.paths, target)
        if is_whole(target):
            _say(f"{target.path} is whole; there is nothing left to do.")
            return
    total = count(source)
    inputs = [hash_id(path) if hash_ids else path for path in source.paths]
    opened = open_output(target, job_settings(config, hash_ids), inputs, shard_notes) if target else None
    with opened or nullcontext(StandardOutput(lambda _record: None)) as output:
        tally = Tally(output)
        voice.resumes = bool(target and target.can_resume and not report and engine == "local")
        _begin(config, job, total, bool(target and target.resume))
        todo = output.todo(_named(source, hash_ids))
        records = spark.run(todo, source, config, job) if engine == "spark" else local.run(todo, config, job)
        for record in _shown(records, tally, total):
            output.write(record)
            if leaks:
                leaks.add(record)
    if leaks and report:
        content = json.dumps(leaks.to_json(), indent=1) + "\n" if report.suffix == ".json" else leaks.to_html()
        report.write_text(content, encoding="utf-8")
    place = str(report) if target is None else "standard output" if target.path == "-" else target.path
    if target and report:
        place += f", the report in {report}"
    _end(tally, place, "records" if target else "report")


def _named(source: Source, hash_ids: bool) -> Iterator[Note | Record]:
    from medtext.readers import read
    from medtext.tally import with_hashed_id

    return map(with_hashed_id, read(source)) if hash_ids else read(source)


def _begin(config: Config, job: Job, total: int | None, resume: bool) -> None:
    from medtext.progress import event

    if voice.json:
        event("start", medtext=__version__, model=config.model, workers=job.workers, notes_total=total, resume=resume)
    elif total == 0:
        _say("There is no .txt in the folders that are named.")


def _shown(records: Iterable[Record], tally: Tally, total: int | None) -> Iterator[Record]:
    """The records, counted, with a bar, lines or events on standard error."""
    from medtext.progress import with_bar, with_events, with_lines

    show = with_events if voice.json else with_bar if sys.stderr.isatty() else with_lines
    return show(_unless_stopped(records), tally, total)


def _end(tally: Tally, place: str, what: str) -> None:
    """What was done, and the exit status."""
    from medtext.progress import event

    status = SOME_FAILED if tally.failures else 0
    if voice.json:
        event("end", status=status, notes=tally.notes, notes_before=tally.before, failed=len(tally.failures))
    else:
        for line in tally.report(place, what):
            _say(line)
    raise typer.Exit(status)


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
    phi_threshold: Threshold = None,
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
    log_json: LogJson = False,
) -> None:
    """Write notes without their protected health information. It finds most, not all: look before you share."""
    from medtext.deid.redact import Redaction
    from medtext.engines.local import Job
    from medtext.readers import Source, TableColumns
    from medtext.writers.redacted import RedactedTarget

    voice.json = log_json
    how = Redaction(mode, load_policy(policy, rules), rules=rules)
    source = Source(tuple(notes), TableColumns(text_column, id_column, patient_column), encoding)
    target = RedactedTarget(out, force, resume)
    config = Config(model, rules, (PHI,), phi_threshold=CAREFUL if phi_threshold is None else phi_threshold)
    _redact(source, config, Job(workers, timeout), how, target, map, hash_ids)


def _redact(
    source: Source, config: Config, job: Job, how: Redaction, target: RedactedTarget, map: Path | None, hash_ids: bool
) -> None:
    from medtext.engines.redaction import redact_all
    from medtext.readers import check, count
    from medtext.schema import Note
    from medtext.tally import Tally
    from medtext.writers.redacted import maps_writer, open_redacted

    check(source)
    _refuse_to_redact_onto_notes(source.paths, target)
    passed, total = target.passed(), count(source)
    tally = Tally(passed)
    voice.resumes = target.can_resume
    _begin(config, job, total, target.resume)
    outcomes = redact_all(passed.todo(_named(source, hash_ids)), config, job, how)
    with maps_writer(map, target) as write_map, open_redacted(target) as write:

        def written() -> Iterator[Record]:
            for outcome in outcomes:
                if outcome.redacted:
                    write(Note(outcome.record.document_id, outcome.redacted.text))
                    write_map(outcome.record.document_id, outcome.redacted.replaced)
                yield outcome.counted

        for _ in _shown(written(), tally, total):
            pass
    _end(tally, "standard output" if target.path == "-" else target.path, "redacted notes")


def _listed(categories: str | None) -> tuple[str, ...]:
    return tuple(name.strip().upper() for name in (categories or "").split(",") if name.strip())


def _terminologies(concepts: str) -> tuple[str, ...]:
    names = tuple(name.lower() for name in _listed(concepts))
    if names == ("none",):
        return ()
    if not names or set(names) - set(CODED):
        raise UsageError(f"--concepts takes {', '.join(CODED)}, or none for no codes.")
    return names


def _refuse_to_overwrite_notes(paths: Iterable[str], target: Target) -> None:
    """--force is not meant for the notes themselves."""
    if any(_is_in(Path(path), Path(target.path)) for path in paths if target.kind != "json"):
        raise UsageError(f"{target.path} holds the notes that are to be read; name another output.")


def _is_in(path: Path, out: Path) -> bool:
    """Whether a file is the output, or stands right in it."""
    with suppress(OSError):
        return path.is_file() and (path.samefile(out) or path.resolve().parent.samefile(out))
    return False


def _refuse_to_redact_onto_notes(paths: Iterable[str], target: RedactedTarget) -> None:
    if target.path == "-":
        return
    out = Path(target.path).resolve()
    named = [Path(path).resolve() for path in paths if path != "-"]
    if any(out == path or (target.is_folder and (path in out.parents or out == path.parent)) for path in named):
        raise UsageError(f"{target.path} is where the notes are that are to be read; name another output.")


def _say(line: str) -> None:
    """A line on standard error, whatever is in the ids: what a terminal would obey or cannot show is spelled out."""
    plain = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
    typer.echo(plain.encode(sys.stderr.encoding or "utf-8", "backslashreplace"), err=True)


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
        out.parent.mkdir(parents=True, exist_ok=True)
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
    categories: Annotated[str | None, typer.Option(help="Score these categories only, separated by commas.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    model: Model = "fast",
    rules: Annotated[Path | None, typer.Option(help="A folder of rules instead of the shipped ones.")] = None,
) -> None:
    """Score medtext, or records, against gold: precision, recall and F1 of spans, traits and links."""
    import json

    from medtext.evaluate import evaluate_files

    scores = evaluate_files(gold, predicted, Config(model, rules, _listed(categories)), given_spans=given_spans)
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
