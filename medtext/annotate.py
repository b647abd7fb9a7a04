"""Notes into records: the one place where a spaCy Doc lives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import TYPE_CHECKING

from medtext.config import Config
from medtext.errors import NoteError
from medtext.readers.notes import check_text
from medtext.schema import Failure, Mention, Note, Record

if TYPE_CHECKING:
    from spacy.language import Language

BATCH = 256
"""Notes after which spaCy's memory of their words is let go (spaCy 3.8; on 3.7 workers are replaced instead)."""


def annotate(nlp: Language, notes: Iterable[Note | Record], config: Config) -> Iterator[Record]:
    """A record for each note, in order; what is a record already (a note that could not be read) passes through.

    A note that fails leaves a record that names the kind of failure and nothing of the note: what exceptions say is
    not passed on, since it may quote.
    """
    waiting = iter(notes)
    while batch := list(islice(waiting, BATCH)):
        with memory_zone(nlp):
            for note in batch:
                yield note if isinstance(note, Record) else one(nlp, note, config)


def memory_zone(nlp: Language) -> AbstractContextManager[object]:
    """spaCy's memory zone, where this spaCy has one."""
    zone = getattr(nlp, "memory_zone", None)
    return zone() if zone and not nlp.vocab.in_memory_zone else nullcontext()  # type: ignore[no-any-return,attr-defined]


def one(nlp: Language, note: Note, config: Config, spans: Sequence[Mention] | None = None) -> Record:
    """The record of one note. `spans` replace what the pipeline would find."""
    from medtext.findings import findings
    from medtext.record import select, to_record

    try:
        check_text(note.text)
        doc = nlp.make_doc(note.text)
        if spans is not None:
            findings(doc).given = tuple(spans)
        for _, step in nlp.pipeline:
            doc = step(doc)
        return select(to_record(doc, note.id, nlp.meta["version"]), config.categories, config.min_score)
    except NoteError as error:
        return Record(note.id, error=Failure(error.code, str(error)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other notes go on
        kind = type(error).__name__
        return Record(note.id, error=Failure("InternalError", f"The note could not be read ({kind})."))
