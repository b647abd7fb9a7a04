"""Notes into records on Spark: the same `annotate`, by `mapInArrow`, with one pipeline in each of Spark's Python workers.

    extract   from a DataFrame of notes to one of records, lazily, for jobs of your own
    run       the command line's: files that every worker can open, read by medtext's own readers

Either way there is no shuffle, and nothing of a note's text goes to a disk: Spark hands rows to Python through memory and
a socket, keeps none, and gets records back. What an exception says may quote a note, so only medtext's own sentences
leave a worker.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from medtext.annotate import BATCH, annotate
from medtext.config import Config
from medtext.errors import MedtextError, UsageError, WorkerError
from medtext.readers import Source, TableColumns, read
from medtext.readers.limits import Read
from medtext.readers.rows import note_of
from medtext.schema import Note, Record

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from spacy.language import Language

    from medtext.engines.local import Job

JAVA = 17
COLUMNS = TableColumns("text", "id")  # as rows come to a worker
TRIES = 4  # of a task, on this machine too: a Python worker that is killed costs its task's time and no more
PART = re.compile(r"part-(\d+)-")  # what Spark calls the file of a partition that is not empty
QUIET = {"spark.ui.enabled": "false", "spark.eventLog.enabled": "false", "spark.ui.showConsoleProgress": "false"}
"""Spark serves no page and keeps no history."""

Batches: TypeAlias = Iterator[Any]
"""Of Arrow's record batches."""


def extract(
    df: DataFrame,
    text: str = "text",
    id: str | None = "id",
    config: Config | None = None,
    *,
    timeout: float | None = None,
) -> DataFrame:
    """The records of a DataFrame of notes: a row a note, in the columns of medtext's Parquet, without the text.

    Nothing runs before the result is written or counted. Every row that goes in comes out, a note that cannot be read with
    its `Error`; rows stay in their partitions and in order. The workers need medtext and its models installed.

    Args:
        df: notes, from any source of Spark's.
        text: the column of the text.
        id: the column of the ids, text or numbers, which medtext does not check for doubles; None where there is none. A
            row without an id is `partition-3:17`, the seventeenth row of the partition numbered 3.
        config: the model, the rules and what to keep; the defaults where it is None.
        timeout: seconds that a note may take, as far as Python can interrupt what runs.

    Raises:
        UsageError: for a column that is not there.
    """
    for column in (text, id):
        if column is not None and column not in df.columns:
            raise UsageError(f"The DataFrame has no column {column!r}.")
    if text == id:
        raise UsageError("The id column is the text column, and ids are written down; name another.")
    from pyspark.sql.functions import col

    names = {"text": text, "id": id}
    columns = [col(f"`{name.replace('`', '``')}`").alias(own) for own, name in names.items() if name is not None]
    work = partial(_from_rows, config=config or Config(), timeout=timeout)
    return df.select(*columns).mapInArrow(work, _schema())


def run(notes: Iterable[Read], source: Source, config: Config, job: Job) -> Iterator[Record]:
    """A record for each of the notes of `source`, in order.

    Every task reads the whole source and works on its share, one note in so many: reading is a hundredth of the work, and
    so the notes, their ids and what is wrong with them are the local engine's. Records, which hold no text, wait in a
    private temporary folder until all are there.

    Args:
        notes: what the caller read of the source, maybe under other ids; one record is given for each.
        source: files that every worker can open under the same path.
        job: as many workers as Spark gets cores here; where spark-submit started this, its own settings hold.

    Raises:
        UsageError: where pyspark, Java or a file is missing, or the source is standard input.
        WorkerError: where a task fails again and again.
    """
    if "-" in source.paths:
        raise UsageError("Spark's workers cannot read standard input; name files.")
    _pipeline(config.to_load())  # a model or rules that are wrong are told here, in a sentence
    with session(job.workers) as spark, tempfile.TemporaryDirectory(prefix="medtext-") as folder:
        shares = spark.sparkContext.defaultParallelism
        work = partial(_from_files, source=source, shares=shares, config=config, timeout=job.timeout)
        out = Path(folder) / "records"
        try:
            spark.range(0, shares, 1, shares).mapInArrow(work, "value string").write.text(out.as_uri())
        except Exception:  # Spark's own, which may quote
            raise WorkerError("Spark's workers could not do the work; they may need more memory.") from None
        for item, record in zip(notes, _in_order(out, shares), strict=True):
            yield replace(record, document_id=item.id if isinstance(item, Note) else item.document_id)


@contextmanager
def session(cores: int) -> Iterator[SparkSession]:
    """Spark on this machine, quiet, until the block ends; or as spark-submit or the caller has it."""
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        raise UsageError("Spark needs pyspark; install the extra: pip install 'medtext-nlp[spark]'.") from None
    if running := SparkSession.getActiveSession():
        yield running
        return
    builder: Any = SparkSession.builder.appName("medtext")
    if "PYSPARK_GATEWAY_PORT" not in os.environ:  # nobody started Java for us
        if not has_java():
            raise UsageError(f"Spark needs Java {JAVA}; install it and set JAVA_HOME.")
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = builder.master(f"local[{cores},{TRIES}]").config(map=QUIET)
    try:
        with _silent():
            spark = builder.getOrCreate()
    except Exception:
        raise WorkerError("Spark does not start; see that JAVA_HOME is right and that pyspark is whole.") from None
    try:
        yield spark
    finally:
        spark.stop()


def has_java() -> bool:
    """Whether the Java that Spark would start is there and new enough."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if not java:
        return False
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    return version is not None and int(version[1]) >= JAVA


# In Spark's Python workers. Spark keeps them from task to task (spark.python.worker.reuse), and each its pipeline.


@cache
def _pipeline(config: Config) -> Language:
    """By `Config.to_load()`."""
    from medtext.pipeline import build

    return build(config)


def _records(notes: Iterable[Read], config: Config, timeout: float | None) -> Iterator[Record]:
    """The records of the notes; only medtext's own words leave by way of an exception."""
    from medtext.engines.local import alarm

    try:
        nlp = _pipeline(config.to_load())
        yield from annotate(nlp, notes, config, nullcontext if timeout is None else partial(alarm, timeout))
    except MedtextError:
        raise
    except Exception as error:
        raise WorkerError(f"medtext broke down ({type(error).__name__}); this is a fault of medtext's.") from None


def _from_rows(batches: Batches, config: Config, timeout: float | None) -> Batches:
    from medtext.writers.parquet import to_batch

    records = _records(_notes(batches), config, timeout)
    while some := list(islice(records, BATCH)):
        yield to_batch(some)


def _notes(batches: Batches) -> Iterator[Read]:
    from pyspark import TaskContext

    from medtext.readers.parquet import batch_rows

    context = TaskContext.get()
    number = 0
    for batch in batches:
        for row in batch_rows(batch):
            number += 1
            place = f"partition-{context.partitionId() if context else 0}:{number}"
            yield note_of(row, place, COLUMNS, "utf-8")


def _from_files(batches: Batches, source: Source, shares: int, config: Config, timeout: float | None) -> Batches:
    """The records, as lines of JSON, of the share of the source that each number stands for."""
    from medtext.writers.parquet import lines_batch

    for batch in batches:
        for share in batch.column(0).to_pylist():
            records = _records(islice(read(source), share, None, shares), config, timeout)
            while some := list(islice(records, BATCH)):
                yield lines_batch(some)


def _in_order(folder: Path, shares: int) -> Iterator[Record]:
    """The records that tasks wrote, one of each share after the other."""
    found = {int(match[1]): path for path in folder.iterdir() if (match := PART.match(path.name))}
    files = [found[share].open(encoding="utf-8") if share in found else None for share in range(shares)]
    try:
        while True:
            for file in files:
                if not file or not (line := file.readline()):
                    return
                yield Record.from_json(json.loads(line))
    finally:
        for file in filter(None, files):
            file.close()


def _schema() -> Any:
    """Spark's word for the columns of medtext's Parquet."""
    from pyspark.sql.pandas.types import from_arrow_schema

    from medtext.writers.parquet import SCHEMA

    return from_arrow_schema(SCHEMA)


@contextmanager
def _silent() -> Iterator[None]:
    """Java, started in this block, and its Python workers have no standard error: what they say there may quote a row."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
