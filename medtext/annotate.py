"""Notes into records: the one place where a spaCy Doc lives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import TYPE_CHECKING

from medtext.config import Config
from medtext.errors import NoteError
from medtext.folding import fold
from medtext.readers.limits import check_text, failure
from medtext.schema import Mention, Note, Record
from medtext.windows import LONG, Merger, windows

if TYPE_CHECKING:
    from spacy.language import Language

    from medtext.findings import Carried, Findings

BATCH = 64
"""Notes after which spaCy's memory of their words is let go (spaCy 3.8; on 3.7 workers are replaced instead)."""

Guard = Callable[[], AbstractContextManager[object]]
"""Makes what watches over one note, such as an alarm; what that raises as a `NoteError` becomes the note's record."""


def annotate(
    nlp: Language, notes: Iterable[Note | Record], config: Config, guard: Guard = nullcontext
) -> Iterator[Record]:
    """A record for each note, in order; what is a record already (a note that could not be read) passes through.

    A note that fails leaves a record that names the kind of failure and nothing of the note: what exceptions say is
    not passed on, since it may quote. Notes are read `BATCH` at a time.
    """
    waiting = iter(notes)
    while batch := list(islice(waiting, BATCH)):
        with memory_zone(nlp):  # closed before records go out: a Doc that their reader makes meanwhile must outlive it
            records = [note if isinstance(note, Record) else one(nlp, note, config, guard=guard) for note in batch]
        yield from records


def memory_zone(nlp: Language) -> AbstractContextManager[object]:
    """spaCy's memory zone, where this spaCy has one."""
    zone = getattr(nlp, "memory_zone", None)
    return zone() if zone and not nlp.vocab.in_memory_zone else nullcontext()  # type: ignore[attr-defined]


def one(
    nlp: Language,
    note: Note,
    config: Config,
    spans: Sequence[Mention] | None = None,
    guard: Guard = nullcontext,
) -> Record:
    """The record of one note. `spans` replace what the pipeline would find."""
    try:
        check_text(note.text)
        with guard():
            return _record(nlp, note, config, spans)
    except NoteError as error:
        return failure(note.id, error.code, str(error))
    except Exception as error:  # whatever it is, the other notes go on
        return failure(note.id, "InternalError", f"The note could not be read ({type(error).__name__}).")


def _record(nlp: Language, note: Note, config: Config, spans: Sequence[Mention] | None) -> Record:
    from medtext.record import counted, record_of, select

    if len(note.text) > LONG and spans is None:
        return _long(nlp, note, config)
    if len(note.text) > nlp.max_length:
        said = f"Spans can be given for notes of up to {nlp.max_length:,} characters; this one has {len(note.text):,}."
        raise NoteError("TooLong", said)
    found = _read(nlp, note.text, config, spans)
    record = record_of(found, note.id, len(note.text), nlp.meta["version"])
    return counted(select(record, config.categories, config.concepts), config.policy)


def _long(nlp: Language, note: Note, config: Config) -> Record:
    """The record of a note that is read in windows."""
    from medtext.findings import Carried
    from medtext.record import counted, record_of, select

    carried, merger = Carried(), Merger()
    for begin, end in windows(note.text):
        found = _read(nlp, note.text[begin:end], config, carried=carried)
        record = record_of(found, note.id, end - begin, nlp.meta["version"])
        own = len(found.mentions)
        again = sum(entity.id > own for entity in record.entities)
        merger.add(begin, counted(select(record, config.categories, config.concepts), config.policy), own, again)
    return merger.record(note.id, len(note.text))


def _read(
    nlp: Language,
    text: str,
    config: Config,
    spans: Sequence[Mention] | None = None,
    carried: Carried | None = None,
) -> Findings:
    """What the pipeline finds in a text, as far as `config` keeps it."""
    from medtext.findings import findings
    from medtext.record import kept

    folded = fold(text) if spans is None else None
    doc = nlp.make_doc(folded.text if folded else text)
    found = findings(doc)
    found.carried = carried
    if spans is not None:
        found.given = tuple(spans)
    for _, step in nlp.pipeline:
        doc = step(doc)
    found = kept(doc, config.min_score, config.date_values)
    return found.moved(folded.begin, folded.end) if folded else found
