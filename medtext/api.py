"""The library: `load`, `extract`, `stream`, `redact`. spaCy and the rest are imported when they are first needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING

from medtext.config import CAREFUL, Config
from medtext.errors import NoteError, UsageError
from medtext.policy import Policy, load_policy
from medtext.schema import Mention, Note, Record

if TYPE_CHECKING:
    from spacy.language import Language

    from medtext.deid.replacing import Redacted

Span = tuple[int, int, str]
"""Begin and end in code points, and a type."""


def load(config: Config | None = None, *, model: str | Path | None = None) -> Language:
    """A spaCy pipeline with all of medtext in it; it takes a second or two, so do it once.

    Args:
        config: the model, the rules and what to keep; the defaults where it is None.
        model: the name of a shipped model ("fast", "accurate") or the folder of one, in the place of the config's.

    Raises:
        ModelError: where the model is not there or is another version's.
        RuleError: where a rule file is wrong.
        UsageError: for a config that is none.
    """
    from medtext.pipeline import build

    config = config or Config()
    if not isinstance(config, Config):
        raise UsageError(f"A Config is needed, not {config!r}; a model is named by model=….")
    return build(replace(config, model=str(model)) if model else config)


@cache
def _loaded(config: Config) -> Language:
    """By `Config.to_load()`: what is kept of the results does not matter here."""
    return load(config)


def extract(
    text: str,
    *,
    nlp: Language | None = None,
    spans: Sequence[Span] | None = None,
    config: Config | None = None,
    document_id: str = "",
) -> Record:
    """The record of one note.

    Args:
        text: the note, as it is.
        nlp: a pipeline of `load`; without one, one is loaded at the first call and kept.
        spans: `(begin, end, type)` of entities and attributes found elsewhere; medtext then adds their traits and links
            and finds no others.
        config: what to load, and what to keep of the result.
        document_id: the record's `DocumentId`.

    Returns:
        The record; where the note could not be read its `error` says why.

    Raises:
        UsageError: for spans that overlap, do not fit the text or have no type of medtext's.
    """
    from medtext.annotate import one

    config = config or Config()
    given = None if spans is None else mentions_of(text, spans)
    return one(nlp or _loaded(config.to_load()), Note(document_id, text), config, given)


def mentions_of(text: str, spans: Iterable[Span]) -> list[Mention]:
    """Spans as mentions, sorted. Raises `UsageError` for one that cannot be."""
    mentions = []
    for begin, end, kind in spans:
        try:
            mentions.append(Mention(index(begin), index(end), kind, 1.0, "given"))
        except (ValueError, TypeError) as error:
            raise UsageError(f"The span ({begin}, {end}, {kind!r}) is wrong: {error}.") from None
        if end > len(text):
            raise UsageError(f"The span ({begin}, {end}, {kind!r}) ends after the text of {len(text)} characters.")
    mentions.sort()
    for one, other in pairwise(mentions):
        if one.overlaps(other):
            raise UsageError(f"The spans at {one.begin} and {other.begin} overlap.")
    return mentions


def stream(
    notes: Iterable[tuple[str, str]],
    *,
    workers: int = 1,
    timeout: float | None = None,
    nlp: Language | None = None,
    config: Config | None = None,
) -> Iterator[Record]:
    """The records of many notes, in their order, in bounded memory.

    Args:
        notes: pairs of an id and a text; they are read as they are needed.
        workers: processes; above one, each builds its own pipeline (and the calling script needs the usual
            `if __name__ == "__main__":`).
        timeout: seconds that a note may take; None for no limit. Without `nlp` the work is done in a process that can
            be stopped, also for one worker.
        nlp: a pipeline of `load`, for one worker. On Python 3.11, where spaCy keeps every word it has seen, it grows by
            1.6 KB a note; without it, pipelines and workers are replaced before that matters.
        config: what to load, and what to keep of the results.

    Raises:
        UsageError: for `nlp` with several workers, fewer workers than one, or a timeout that is none.
    """
    from medtext.engines.local import Job, run

    if nlp and workers > 1:
        raise UsageError("A loaded pipeline cannot be shared among workers; leave nlp out, and each builds its own.")
    given = (Note(document_id, text) for document_id, text in notes)
    return run(given, config or Config(), Job(workers, timeout), nlp)


def redact(
    text: str,
    *,
    mode: str = "mask",
    policy: str | Path | Policy = "safe-harbor",
    key: str = "",
    record: Record | None = None,
    nlp: Language | None = None,
    config: Config | None = None,
    scope: str = "",
) -> Redacted:
    """The note without its protected health information, and where its offsets went.

    It removes what medtext finds, which is not all there is.

    Args:
        text: the note, as it is.
        mode: "mask" ([NAME]), "tag" ([NAME-1]), "hash" ([NAME-fkamhbdp…]) or "surrogate" (something of the same form).
        policy: what counts: "safe-harbor", "limited-data-set", "expert", a `.toml` file, or a `Policy`.
        key: the secret of hashes and surrogates; "" takes the environment variable MEDTEXT_HASH_KEY.
        record: what was found in the text, if that is known; its protected health information must be complete.
        nlp: a pipeline of `load`, which takes what is likelier than 0.2 unless it was loaded with another `phi_threshold`;
            without one, one is loaded that takes what is likelier than 0.1, and kept.
        config: what to load; what it says of categories and scores to keep does not matter here.
        scope: an id of the patient, or of the document, within which surrogates and the shift of dates stay the same; "" for
            this text alone.

    Returns:
        `text`, `replaced`, and `to_new(offset)` and `to_old(offset)`.

    Raises:
        UsageError: for a mode or policy that there is not, a missing key, or a record of another text.
        NoteError: where the note could not be read.
    """
    from medtext.deid.redact import Redaction, redact_note

    config = replace(config or Config(), concepts=()).to_load(CAREFUL)
    chosen = policy if isinstance(policy, Policy) else load_policy(policy, config.rules)
    how = Redaction(mode, chosen, key, config.rules)
    record = record or extract(text, nlp=nlp, config=config)
    if record.error:
        raise NoteError(record.error.code, record.error.message)
    if record.characters != len(text):
        raise UsageError(f"The record is of a note of {record.characters} characters, and this has {len(text)}.")
    return redact_note(text, record, how, scope)
