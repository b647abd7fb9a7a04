"""Notes into redacted notes: records from any engine, and the texts beside them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from medtext.config import Config
from medtext.deid.redact import Redaction, redact_note
from medtext.deid.replacing import Redacted
from medtext.engines.local import Job, run
from medtext.policy import PHI
from medtext.readers.limits import Read, failure
from medtext.schema import Note, Record


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one note: its record, and the note without its identifiers unless it failed."""

    record: Record
    redacted: Redacted | None = None

    @property
    def counted(self) -> Record:
        """The record, with what was replaced alone."""
        if self.redacted is None:
            return self.record
        begins = {one.begin for one in self.redacted.replaced}
        return replace(
            self.record,
            entities=tuple(one for one in self.record.entities if one.category == PHI and one.begin in begins),
        )


def redact_all(notes: Iterable[Read], config: Config, job: Job, how: Redaction) -> Iterator[Outcome]:
    """An outcome for each note, in order.

    Texts are kept here only until their records come back, so memory is bounded as that of `run` is; replacing takes
    little time beside finding and is done in this process.
    """
    waiting: deque[Read] = deque()

    def kept() -> Iterator[Read]:
        for item in notes:
            waiting.append(item)
            yield item

    for record in run(kept(), config, job):
        item = waiting.popleft()
        yield Outcome(record) if record.error or isinstance(item, Record) else _outcome(item, record, how)


def _outcome(note: Note, record: Record, how: Redaction) -> Outcome:
    try:
        return Outcome(record, redact_note(note.text, record, how, note.patient or note.id))
    except Exception as error:  # its message may quote; the other notes go on
        said = f"The note could not be redacted ({type(error).__name__})."
        return Outcome(failure(note.id, "InternalError", said))
