"""What stands round a mention: all that its traits are judged by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from spacy.tokens import Doc

from medtext.components.clues import words_of
from medtext.components.context import Context, Verdict
from medtext.findings import findings, lower_words, text_of
from medtext.schema import Mention

ANSWERS = ("ticked", "empty", "yes", "no")
"""How a form answers a mention: by a box beside it, or by a word behind it."""
_BOX = r"(?:\[\s?[xX✓✔*]?\s?\]|\([ xX✓✔]\)|[☐☒☑□■])"
_TICKED = re.compile(r"[xX✓✔*☒☑■]")
BOX_BEFORE = re.compile(rf"({_BOX})[ \t]*$")
BOX_AFTER = re.compile(rf"[ \t]*:?[ \t]*({_BOX})")
BOX_FIRST = re.compile(rf"[ \t\d.•-]*(?:[A-Z][A-Z /&-]*:?[ \t]+|[^\n:\[]{{1,30}}:[ \t]*)?{_BOX}")
YES_OR_NO = re.compile(rf"[ \t]*:?[ \t]*({_BOX})[ \t]*(?:yes|y)?[ \t]*({_BOX})", re.IGNORECASE)
_OVER = r"(?![\w/+-])[ \t]*(?:$|[\n,;.|(]|[ \t]{2})"
_NEXT = r"[ \t](?=(?-i:[A-Z\[]))"  # "Fever N Cough Y"; but "Duplex: no DVT", "HTN - Lisinopril"
_LABEL = r"[ \t](?=(?-i:[A-Z])[\w ]{0,30}[:=?])"  # "Fever: No Chills: No"
_YES = rf"(?P<yes>(?:yes|pos|positive)(?:{_OVER}|{_LABEL})|\+{_OVER}|y(?:{_OVER}|{_NEXT}))"
_NO_WORD = r"(?:no|nil|none|neg|negative|denies|denied|absent|nad|not present)"
_ZERO = r"(?:(?<=[:=])|(?<=[:=][ ]))0(?!\.\d)"  # "Edema: 0"; but "Pain: 0/10"
_NO = rf"(?P<no>{_NO_WORD}(?:{_OVER}|{_LABEL})|-{_OVER}|{_ZERO}{_OVER}|n(?:{_OVER}|{_NEXT}))"
SIGN = re.compile(r"(?:^|[\s,;:(])([+−-])(?:[^\W\d_]{1,12}/){0,3}$")
"""A plus or minus glued to a finding, or to the list that it is in: "-n/v, +sob"."""
SIGNED = re.compile(r"(?:^|[\s,;:(])\+[^\W\d_]|[,;][ \t]?[−-][^\W\d_]", re.MULTILINE)
"""What a line has where these are signs; "-HTN -DM" may be a list."""
REACH = 40  # characters before a finding in which its sign stands
NEAR = 300  # characters to either side in which other signs stand
ANSWER = re.compile(rf"[ \t]*(?:[:=?–-][ \t]*|[ \t])(?:{_YES}|{_NO})", re.IGNORECASE)


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


def answer(text: str, begin: int, end: int) -> str:
    """How a form answers what stands at `[begin, end)`: one of ANSWERS, or empty.

    "[x] fever  [ ] cough", "Fever [x]  Cough [ ]", "Fever [ ][x]" under "Yes No", "Fever Y  Cough N", "Cough: none".
    Also by a sign glued to it: "+sob, -n/v". Where there are boxes on both sides, those that begin the line stand before what
    they are about.
    """
    if both := YES_OR_NO.match(text, end):
        ticked = [bool(_TICKED.search(box)) for box in both.groups()]
        if ticked[0] != ticked[1]:
            return "yes" if ticked[0] else "no"
    line = text.rfind("\n", 0, begin) + 1
    before, after = BOX_BEFORE.search(text, line, begin), BOX_AFTER.match(text, end)
    box = before if before and (not after or BOX_FIRST.match(text, line)) else after
    if box:
        return "ticked" if _TICKED.search(box[1]) else "empty"
    if said := ANSWER.match(text, end):
        return "yes" if said["yes"] else "no"
    if sign := SIGN.search(text[max(line, begin - REACH) : begin]):
        stop = text.find("\n", end, end + NEAR)
        if SIGNED.search(text, max(line, begin - NEAR), stop if stop >= 0 else end + NEAR):
            return "yes" if sign[1] == "+" else "no"
    return ""
