"""What stands round a mention: all that its traits are judged by."""

from collections.abc import Sequence
from dataclasses import dataclass

from spacy.tokens import Doc

from medtext.components.answers import answer
from medtext.components.clues import words_of
from medtext.components.context import Context, Verdict
from medtext.findings import findings, lower_words, text_of
from medtext.schema import Mention


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a trait is judged by, beside the words round it."""

    type: str
    begin: int  # its first token
    end: int  # the token after its last
    section: str
    words: tuple[str, ...]  # in lower case
    verdicts: tuple[Verdict, ...]
    answer: str  # one of ANSWERS, where a form answers it
    attributes: tuple[tuple[str, int, int], ...]  # what hangs on it: types, first tokens, tokens after the last


def surroundings(
    doc: Doc, context: Context, mentions: Sequence[Mention], attributes: Sequence[Sequence[Mention]]
) -> list[Surroundings]:
    """What there is to say of each mention. `mentions` are sorted and the Doc's sentences are set.

    `attributes` are what hangs on each of them.
    """
    found = findings(doc)
    verdicts = context(doc, mentions)
    begins, ends = words_of(doc, [(mention.begin, mention.end) for mention in mentions])
    text = text_of(doc)
    lower = lower_words(doc)
    return [
        Surroundings(
            mention.type,
            begin,
            end,
            found.section_of(mention.begin) or "NONE",
            tuple(lower[begin:end]),
            tuple(judged),
            answer(text, mention.begin, mention.end),
            _places(doc, hanging),
        )
        for mention, begin, end, judged, hanging in zip(mentions, begins, ends, verdicts, attributes, strict=True)
    ]


def _places(doc: Doc, attributes: Sequence[Mention]) -> tuple[tuple[str, int, int], ...]:
    if not attributes:
        return ()
    begins, ends = words_of(doc, [(one.begin, one.end) for one in attributes])
    return tuple((one.type, begin, end) for one, begin, end in zip(attributes, begins, ends, strict=True))
