"""Where a medication's prescription stands in a note: its attributes, what stands between them and what follows at once.

Nothing here looks further than a line or two, however long the note is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from medtext.findings import Findings
from medtext.schema import ATTRIBUTES, CATEGORIES, Mention, Sig
from medtext.sig.reader import CHANGED, NOT_FOR, NOTHING, Piece, SigReader, unglued
from medtext.sig.said import BARE, COUNTED, MASS
from medtext.sig.words import SigWords, lowered

DRUGS = CATEGORIES["MEDICATION"]
AMOUNTS = (COUNTED, MASS, BARE)
LONGEST_PIECE = 60  # code points of an attribute, or between two of one prescription
LONGEST_TAIL = 100  # code points after the last one
LONGEST_REASON = 60
MOST_PARTS = 24  # attributes of one prescription; where there are more, a table has been read as one
BARRIER: Piece = ("", " ; ")  # another drug's words
NAME: Piece = ("", " ")  # the medication's, or a date

OPENED = re.compile(
    r"\s?[(\[]\s?(?:(?:brand|trade|generic|name|formerly|also known as|a\.?k\.?a\.?|i\.e\.)[\s:,]*){0,3}", re.IGNORECASE
)
CLOSED = re.compile(
    r"(?:[\s,/-]{1,2}(?:[xesc]r|dr|la|xl|hfa|hct|ec|odt|od|ds|hcl|sodium|potassium|insulin|brand|generic|(?:or\s)?(?:another|equivalent)))"
    r"{0,3}\s?[)\]]",
    re.IGNORECASE,
)
"""What stands behind a name in brackets that is the name before them again; not "(metformin held)"."""
NAMES = re.compile(r"\s?(?:[/,;+&-]|and)\s?")
"""What stands between two names in one pair of brackets: "Augmentin (amoxicillin/clavulanate)"."""
ALIAS = re.compile(r"[\s,;]{1,40}(?:(?:commonly|also)\sknown\sas|brand\sname|generic\sname)[\s:]{1,8}", re.IGNORECASE)
"""The same without brackets, on a line of its own in what a patient takes home."""
STRENGTHS = re.compile(
    r"(?:/[\w ]{3,30})?\s*(?!\d{1,2}\s?/\s?(?:7|12|52)(?![\d.]))\d[\d.]*\s?(?:mg|mcg|g)?\s?[-/]\s?\d"
)
"""What stands behind two names with a stroke between them that are one product: "valsartan/HCTZ 160/12.5"."""
INSULIN = "insulin"

SPACE = re.compile(r"(?:[\s,:()\]]|total\))*")
BEFORE_REASON = re.compile(r"[ \t:(]*")
"""What may stand before a reason that has no "for": behind a comma or a bracket the next item of a list begins."""
NO_REASON = re.compile(r"[ \t]*:")
"""Behind a heading: "ibuprofen prn  Allergies: none"."""
DIGIT = re.compile(r"\d")
DATED = re.compile(r"\d[-/.]\d")
"""In a date that could be read as a scheme of the day: "12-10-19"."""
FILLER = re.compile(
    r"[\s,(:&+–-]*(?:(?:and|take|taken|to be taken|use|apply|for|with|x)\s+)?(?:to\s|in\s|the\s)*", re.IGNORECASE
)
TAKE = re.compile(
    r"\b(?:takes?|taking|took|given?|use|apply|inject|inhale|instill|place|insert|chew|dissolve|swallow)"
    r"\s+(?P<amount>[^.;,\n]{1,40}?)\s+(?P<of>of\s+(?:the\s+|your\s+)?)?$",
    re.IGNORECASE,
)
CHANGE = re.compile(
    r"\b(?:chang|increas|decreas|reduc|titrat|taper|adjust|rais|lower|wean|bump|switch)(?:e|ed|es|ing|s)?\s+(?:from\s+)?(?:(?:her|his|the|your|home)\s+)?$",
    re.IGNORECASE,
)
FROM_TO = re.compile(r"\s[\d.,]{1,7}\s?[a-z]{0,6}\sto\s\d", re.IGNORECASE)
"""A drug whose dose is changed, and the two doses: "change Zoloft 50 mg to 100 mg"."""
COURSE = re.compile(r"([\w-]{1,12}[\s-](?:day|week|month)s?)\s+(?:course|regimen|trial)\s+of\s+$", re.IGNORECASE)
LINE_END = re.compile(r"[\n;]|\.\s\s+[A-Z]|(?<!\.\w)\.\s+[A-Z0-9]|(?<!\.\w)\.\s*$")
LEAD = re.compile(r"[\s,:(]*(?:for|if|when)\s+(?:the\s+)?", re.IGNORECASE)
REASON = re.compile(r"[^\s.,;:()#](?:[^.,;:()\n#]|\.\d|(?<=\d),\d)*")
REASON_END = re.compile(
    r"\s+(?:(?:may|do|per|take|up\sto|not|no|with|she|he|as)\b|x\s*\d|q\.?\d|for\s+(?:\d|up\sto)|disp|refill|[-–—]|\d+\s*(?:tab|mg|days?))",
    re.IGNORECASE,
)
REASON_BEFORE = re.compile(r"\bfor\s+([^\d\s.,;:()][^.,;:()\n\d]{1,40}?)[\s,]*$", re.IGNORECASE)


def drugs(text: str, found: Findings) -> Iterator[tuple[int, ...]]:
    """The medications of a note: the places of the names of each among the mentions, "amlodipine (Norvasc)" being one."""
    names: tuple[int, ...] = ()
    for place, mention in enumerate(found.mentions):
        if mention.type not in DRUGS:
            continue
        if names and _named_again(text, found, names, place):
            names = (*names, place)
        else:
            if names:
                yield names
            names = (place,)
    if names:
        yield names


def _named_again(text: str, found: Findings, names: Sequence[int], place: int) -> bool:
    """Whether the name at `place` stands in brackets behind the others, or behind what is said of them."""
    mentions, last = found.mentions, place - 1
    link = found.links.get(last)
    if last != names[-1] and (link is None or link.parent not in names):
        return False
    between = text[mentions[last].end : mentions[place].begin]
    if between == " " and last == names[-1]:  # "Lantus insulin"
        return any(text[mentions[one].begin : mentions[one].end].lower() == INSULIN for one in (last, place))
    if last in names[1:] and NAMES.fullmatch(between):
        return True
    if between == "-" or (between == "/" and STRENGTHS.match(text, mentions[place].end)):
        return last == names[-1]
    if ALIAS.fullmatch(between):
        return True
    if mentions[names[0]].type == mentions[place].type or not OPENED.fullmatch(between):
        return False
    end = mentions[place].end
    for other in mentions[place + 1 :]:
        if other.type not in DRUGS or not NAMES.fullmatch(text, end, other.begin):
            break
        end = other.end
    return bool(CLOSED.match(text, end))


def sig_of(reader: SigReader, text: str, found: Findings, names: Sequence[int], own: Sequence[int]) -> Sig | None:
    """What is prescribed of a medication; None where nothing sure is said.

    Args:
        reader: the rules.
        text: the note.
        found: what was found in it.
        names: the places of the medication's names among the mentions (see `drugs`).
        own: the places of its attributes.
    """
    mentions = found.mentions
    parts = sorted({*names, *(below for below in own if ATTRIBUTES.get(mentions[below].type) == "MEDICATION")})
    if len(parts) > MOST_PARTS or _taken_at_once(reader.words, text, found, parts):
        return None
    begin, end = mentions[parts[-1]].end, _tail_end(text, found, parts)
    pieces = (*_head(reader.words, text, found, parts), *_pieces(text, found, parts, names))
    pieces += tuple(_more(reader.words, text[begin:end], pieces))
    if pieces == (NAME,):
        return None
    sig = reader.read(pieces)
    if sig.as_needed:
        sig = replace(sig, as_needed_for=_reason(reader.words, text, found, parts, end))
    return None if sig == NOTHING else sig


def _taken_at_once(words: SigWords, text: str, found: Findings, parts: Sequence[int]) -> bool:
    """Whether the drug was taken once, in an overdose or by accident, and nothing of it is a prescription."""
    parts = [part for part in parts if found.mentions[part].type != "FREQUENCY"] or parts  # the "OD" of "OD on 30 tabs"
    first, last = found.mentions[parts[0]], found.mentions[parts[-1]]
    if words.overdose.search(text[max(0, first.begin - LONGEST_PIECE) : first.begin]):
        return True
    attempts = (words.attempt.match(text, one.end, one.end + LONGEST_PIECE) for one in (first, last))
    return any(
        attempt and (one.type in DRUGS or attempt["to"]) for one, attempt in zip((first, last), attempts, strict=True)
    )


def _pieces(text: str, found: Findings, parts: Sequence[int], names: Sequence[int]) -> Iterator[Piece]:
    """The attributes, and the text between them without other drugs and what is theirs."""
    mentions = found.mentions
    end = mentions[parts[0]].begin
    for one in range(parts[0], parts[-1] + 1):
        mention = mentions[one]
        date = mention.type == "DATE" and DATED.search(text, mention.begin, mention.end)
        if one not in parts and not date and not _foreign(found, one):
            continue
        if mention.begin > end:
            yield _piece("", text, end, mention.begin)
        end = mention.end
        if one in names or date:
            yield NAME
        else:
            yield _piece(_kind(text, mention), text, mention.begin, end) if one in parts else BARRIER


def _kind(text: str, mention: Mention) -> str:
    """The type of an attribute; none for a length of time that is no course: "3 days before surgery"."""
    course = mention.type != "DURATION" or not NOT_FOR.match(lowered(text[mention.end : mention.end + LONGEST_PIECE]))
    return mention.type if course else ""


def _piece(kind: str, text: str, begin: int, end: int) -> Piece:
    return (kind, text[begin:end]) if end - begin <= LONGEST_PIECE else BARRIER


def _head(words: SigWords, text: str, found: Findings, parts: Sequence[int]) -> Iterator[Piece]:
    """What stands before a drug: "take two tablets of", "a ten-day course of", "change … from", "at most"."""
    first = found.mentions[parts[0]]
    if CHANGE.search(text, max(0, first.begin - LONGEST_PIECE), first.begin):
        yield CHANGED, ("from " if FROM_TO.match(text, first.end) else " ")
    number = DIGIT.search(text, first.begin, first.end)  # "more than 3 g" is one span
    end = number.start() if number and first.type not in DRUGS else first.begin
    if ceiling := words.ceiling.search(text[max(0, end - LONGEST_PIECE) : end]):
        yield "", f"{ceiling.group()} "
    if course := COURSE.search(text, max(0, first.begin - LONGEST_PIECE), first.begin):
        yield "DURATION", course[1]
        yield NAME
    taken = TAKE.search(text, max(0, first.begin - LONGEST_PIECE), first.begin) if first.type in DRUGS else None
    if taken is None:
        return
    amount = lowered(taken["amount"])
    if not taken["of"]:
        form = _form_behind(found, parts)
        if form is None:
            return
        amount += f" {lowered(text[form.begin : form.end])}"
    item = words.item.fullmatch(amount)
    if item and item.lastgroup in (COUNTED, MASS):
        yield "DOSAGE", amount
        yield NAME


def _form_behind(found: Findings, parts: Sequence[int]) -> Mention | None:
    """The form that follows a drug's name at once, or its strength: "aspirin tablets", "naproxen 500 mg tablet"."""
    end = found.mentions[parts[0]].end
    for mention in (found.mentions[part] for part in parts[1:]):
        if mention.begin != end + 1 or mention.type not in ("FORM", "STRENGTH"):
            return None
        if mention.type == "FORM":
            return mention
        end = mention.end
    return None


def _foreign(found: Findings, place: int) -> bool:
    """Whether a mention is another drug, or an attribute of one."""
    kind = found.mentions[place].type
    return kind in DRUGS or (ATTRIBUTES.get(kind) == "MEDICATION" and place in found.links)


def _tail_end(text: str, found: Findings, parts: Sequence[int]) -> int:
    """The end of what may belong to the prescription behind its last attribute: of the line, or the next drug."""
    begin = found.mentions[parts[-1]].end
    end = min(begin + LONGEST_TAIL, len(text))
    for place in range(parts[-1] + 1, len(found.mentions)):
        if found.mentions[place].begin >= end:
            break
        if _foreign(found, place):
            end = found.mentions[place].begin
    stop = LINE_END.search(text, begin - 1, end)
    return stop.start() if stop else end


def _more(words: SigWords, tail: str, pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The words of the rules with which `tail` goes on from the pieces; a reason is passed over, and is not among them.

    Where a dose is among the pieces, an amount behind it is what is dispensed, and ends it, if it has no time of the day; so
    does a change.
    """
    lower = unglued(lowered(tail))
    dosed = any(kind == "DOSAGE" for kind, _ in pieces)
    at = _end_of_reason(words, lower, 0, pieces[-1][1])
    while found := words.item.match(lower, _end(SPACE, lower, at)) or words.item.match(lower, _end(FILLER, lower, at)):
        if (dosed and found.lastgroup in AMOUNTS and not words.moment_at(lower, found.end())) or words.ends(
            found.group()
        ):
            break
        yield "", f" {lower[at : found.end()]}"
        at = _end_of_reason(words, lower, found.end(), found.group())


def _end_of_reason(words: SigWords, tail: str, at: int, said: str) -> int:
    """Where the reason ends that begins at `at`, if what was `said` before it is "as needed"."""
    reason = _reason_at(words, tail, at) if words.needed.search(said) else None
    return reason[1] if reason else at


def _end(pattern: re.Pattern[str], text: str, begin: int) -> int:
    found = pattern.match(text, begin)
    return found.end() if found else begin


def _reason(words: SigWords, text: str, found: Findings, parts: Sequence[int], end: int) -> tuple[int, int] | None:
    """Where the words before `end` stand that say what for: behind "as needed", or "for …" before it."""
    begin = found.mentions[parts[0]].begin
    needed = words.needed.search(text, begin, end)
    if needed is None:
        return None
    stops = (found.mentions[part].begin for part in parts)
    origin, end = needed.end(), min((stop for stop in stops if stop >= needed.end()), default=end)
    end = min(end, origin + LONGEST_TAIL)
    if after := _reason_at(words, text[origin:end], 0):
        return origin + after[0], origin + after[1]
    if condition := _condition_at(found, parts[0], _end(BEFORE_REASON, text, origin)):
        return None if NO_REASON.match(text, condition[1]) else condition
    before = REASON_BEFORE.search(text, max(begin, needed.start() - LONGEST_TAIL), needed.start())
    return before.span(1) if before and not words.item.search(lowered(before.group(1))) else None


def _condition_at(found: Findings, first: int, at: int) -> tuple[int, int] | None:
    """The condition that was found at `at`, among the mentions from the place `first` on."""
    for place in range(first, len(found.mentions)):
        mention = found.mentions[place]
        if mention.begin >= at:
            return (at, mention.end) if mention.begin == at and mention.type == "DX_NAME" else None
    return None


def _reason_at(words: SigWords, text: str, at: int) -> tuple[int, int] | None:
    """The reason that begins at `at`, after more of what the rules know: "p.r.n. q6h for pain"."""
    lower = lowered(text)
    while (item := words.item.match(lower, _end(SPACE, lower, at))) and item.lastgroup not in AMOUNTS:
        at = item.end()
    lead = LEAD.match(text, at)
    found = REASON.match(text, lead.end()) if lead else words.reason.match(text, _end(BEFORE_REASON, text, at))
    if found is None or (not lead and NO_REASON.match(text, found.end())):
        return None
    cut = REASON_END.search(text, *found.span()) or words.break_off.search(text, *found.span())
    end = min(cut.start() if cut else found.end(), found.start() + LONGEST_REASON)
    said = text[found.start() : end].rstrip(" -–/&")
    return (found.start(), found.start() + len(said)) if said else None
