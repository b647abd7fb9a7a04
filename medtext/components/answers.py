"""How a form answers what it asks: by a box, a word or a sign beside it.

"[x] fever  [ ] cough", "Fever [x]  Cough [ ]", "Fever [ ][x]" under "Yes No", "Edema: [ ] none [x] trace", "Fever Y  Cough N",
"Cough: none", "Any cough at night? No", "(+) fever, (-) chills", "+sob, -n/v".
"""

import re
from collections.abc import Iterator

ANSWERS = ("ticked", "empty", "yes", "no")
"""How a form answers: by a box, or by a word or a sign."""

_GLYPHS = "☐☒☑□■"
_BOX = rf"(?:\[\s?[xX✓✔*]?\s?\]|\([ xX✓✔]\)|[{_GLYPHS}])"
_LINE = r"_{1,9}[xX✓✔]?_{0,9}"  # "Yes ___ No _X_"
_TICKED = re.compile(r"[xX✓✔*☒☑■]")
_COLON = r"[ \t]*+(?::[ \t]*+)?"
_LED = r"(?:[\w-]{1,20}/|(?:history|hx) of |(?:any|recent|chronic|acute) )?"  # "[ ] nausea/vomiting"
BOX_BEFORE = re.compile(rf"({_BOX})[ \t]*{_LED}$", re.IGNORECASE)
BOX_AFTER = re.compile(rf"{_COLON}({_BOX})")
BOX_FIRST = re.compile(rf"[ \t\d.•-]*+(?P<title>[A-Z][A-Z /&-]{{0,40}}:?[ \t]++|[^\n:\[]{{1,30}}:[ \t]*+)?{_BOX}")
BOX_LAST = re.compile(rf"{_BOX} ?+(?![^\W\d_])[^\n{_GLYPHS}\[]*$")
_REST = rf"(?:[^\n.:;|\[\]({_GLYPHS}]|\((?![ xX✓✔]\))){{0,60}}+"  # "Apnea (with CPAP?)  [ ] [x]"
BOXES = re.compile(rf"(?:{_COLON}|{_REST})({_BOX})[ \t]*+(?:y(?:es)?[ \t]*+)?({_BOX})", re.IGNORECASE)
OPTION = re.compile(rf"({_BOX}) ?([^\s:\[({_GLYPHS}][^\n:\[({_GLYPHS}]{{0,25}})")
OPTIONS = re.compile(rf"({_COLON})(?:{OPTION.pattern}){{2,9}}")
"""What is asked more closely: "Edema: [ ] none [x] trace"."""
_END = r"(?=[ \t]*+(?:$|\n)|[ \t]{2})"
COLUMNS = re.compile(
    rf"{_COLON}yes[ \t]*+({_BOX}|{_LINE})?[ \t/]*+no\b(?:[ \t]*+({_BOX}|{_LINE})|{_END}|(?(1)|(?!)))", re.IGNORECASE
)
"""As BOXES, with each box behind its word."""
_OVER = r"(?![\w/+-])(?:[ \t]*+(?:$|[\n,;.|()])|[ \t]{2})"
_GOES_ON = rf"(?:{_OVER}|[ \t]++[–—-][ \t])"  # "Fever: Yes - 101 last night"
_NEXT = r"[ \t](?=(?-i:[A-Z\[]))"  # "Fever N Cough Y"; but "Duplex: no DVT", "HTN - Lisinopril"
_LABEL = r"[ \t](?=(?-i:[A-Z])[\w ]{0,30}(?:\([yY]/[nN]\))?[:=?])"  # "Fever: No Chills: No"
_YES = rf"(?P<yes>(?:yes|pos|positive)(?:{_GOES_ON}|{_LABEL})|\+{_OVER}|y(?:{_GOES_ON}|{_NEXT}))"
_NO_WORD = (
    r"(?:no|nil|none|never(?: used| smoked| smoker)?|neg(?:ative)?(?: h(?:x|istory))?|denies|denied|absent|nad|n/a"
    r"|not (?:present|at present|currently|today))"
)
_ZERO = r"(?:(?<=[:=])|(?<=[:=][ ]))0(?!\.\d)"  # "Edema: 0"; but "Pain: 0/10"
_NO = rf"(?P<no>{_NO_WORD}(?:{_GOES_ON}|{_LABEL})|-{_OVER}|{_ZERO}{_OVER}|n(?:{_GOES_ON}|{_NEXT}))"
_ASKED = r"(?: status| use)?(?:[ \t]*\((?:y/n|yes/no)\))?"  # "Smoking status: Never", "Stroke (Y/N): N"
WORD = re.compile(rf"{_ASKED}(?:[ \t]*+(?:[:=?–-]|\.{{3,60}}|…)[ \t]*+|[ \t]++)(?:{_YES}|{_NO})", re.IGNORECASE)
_SPEAKER = r"(?:\[?[a-z]{1,12}[\]:][ \t]*)?"
QUESTION = re.compile(rf"(?: [^\s?.,:;|()\[\]]++){{0,12}}+ ?\?\s{{1,3}}{_SPEAKER}(?:{_YES}|{_NO})", re.IGNORECASE)
"""The rest of a question and its answer: "fever in the last week? [patient] No"."""
DENIED = re.compile(
    r"[ \t]*+[:–-][ \t]*+(?:no|denies|denied|negative for|without)(?: any)? ((?:[\w-]+ ?){1,3})"
    r"(?=[ \t]*(?:$|[\n.;,]))",
    re.IGNORECASE,
)
"""A label that is denied by its own name, and no more: "Rash: no new rash"; but "Seizures: no seizures since 2019"."""
STEM = 4  # letters by which a name is known again
NO_OPTION = re.compile(rf"{_NO_WORD}\b", re.IGNORECASE)

GLUED = re.compile(r"(?:^|[\s,;:(])([+−-])(?:[^\W\d_]{1,12}/){0,3}$")
"""A plus or minus glued to a finding, or to the list that it is in: "-n/v, +sob"."""
SIGNED = re.compile(r"(?:^|[\s,;:(])\+[^\W\d_]|[,;][ \t]?[−–-][^\W\d_]", re.MULTILINE)
"""What a line has where these are signs; "-HTN -DM" may be a list."""
ANY_SIGN = re.compile(r"(?<![^\s,;:(\[])[+−–-]")
SIGN = re.compile(r"[(\[] ?([+−–-]) ?[)\]]|(?<![^\s,;:])([+−–-])(?![^\s,;])")
"""A sign in brackets, or one that stands alone: "(+) fever", "fever - chills +"."""
_WORDS = r"(?!(?:no|not|but|denie[sd]|denying|without|with|has|had|is|was|on|for|takes)\b)[\w'’-]+"
LISTED = re.compile(
    rf"[ \t]*(?:for )?(?:{_WORDS}(?: {_WORDS}){{0,3}} ?[,/] ?){{0,12}}(?:{_WORDS} ){{0,3}}", re.IGNORECASE
)
"""What may stand between a sign in brackets and a finding that it is said of: "(-) chest pain, recent fever"."""
BEHIND = re.compile(r"(?:/[^\W\d_]{1,12}){0,3}[ \t]*+(?:[:|][ \t]*+)?")
"""What may stand between a finding and the sign behind it: "N/V (-)"."""
ENOUGH = 2  # pluses that stand alone, by which a line tells that its lonely minuses are no dashes
REACH = 40  # characters before a finding in which its box stands, or the sign glued to it
FAR = 120  # and a sign in brackets
NEAR = 300  # characters to either side in which other signs stand


def answer(text: str, begin: int, end: int) -> str:
    """How a form answers what stands at `[begin, end)`: one of ANSWERS, or empty."""
    columns = COLUMNS.match(text, end)
    if pair := columns or BOXES.match(text, end):
        ticked = [bool(box and _TICKED.search(box)) for box in pair.groups()]
        if ticked[0] != ticked[1]:
            return "yes" if ticked[0] else "no"
    if columns:
        return ""
    line = text.rfind("\n", 0, begin) + 1
    before, after = BOX_BEFORE.search(text, max(line, begin - REACH), begin), BOX_AFTER.match(text, end)
    if after and not before and (chosen := _chosen(text, end)) is not None:
        return chosen
    if box := before if before and (not after or _is_before(text, line, before, after)) else after:
        return "ticked" if _TICKED.search(box[1]) else "empty"
    if said := WORD.match(text, end) or QUESTION.match(text, end):
        return "yes" if said["yes"] else "no"
    if (denied := DENIED.match(text, end)) and _is_named(text[begin:end].lower(), denied[1].lower()):
        return "no"
    return _by_sign(text, line, begin, end)


def _is_named(asked: str, denied: str) -> bool:
    """Whether what is denied is what is asked, by how its words begin or by its initials."""
    words, said = asked.split(), denied.split()
    initials = "".join(word[0] for word in words)
    begin = asked[:STEM]
    return (len(words) > 1 and initials in said) or any(
        word == begin if len(begin) < STEM else word.startswith(begin) for word in said
    )


def _chosen(text: str, end: int) -> str | None:
    """How the options behind a finding answer it; None where what stands there are no options of it."""
    options = OPTIONS.match(text, end)
    if not options:
        return None
    ticks = [(bool(NO_OPTION.match(said)), bool(_TICKED.search(box))) for box, said in OPTION.findall(options[0])]
    if ":" not in options[1] and not any(is_no for is_no, _ in ticks):
        return None
    if (False, True) in ticks:
        return "yes"
    return "no" if (True, True) in ticks else ""


def _is_before(text: str, line: int, before: re.Match[str], after: re.Match[str]) -> bool:
    """Whether of two boxes beside a finding the one before it is its own.

    So it is where a box begins the line. Else the nearer one is, and where both are as near, the line's end tells.
    """
    first = BOX_FIRST.match(text, line)
    if first and not first["title"]:
        return True
    if ":" in after[0]:
        return False
    nearer = (after.start(1) - after.start()) - (before.end() - before.end(1))
    if nearer or first:
        return nearer >= 0
    stop = text.find("\n", after.end(), after.end() + NEAR)
    return not BOX_LAST.search(text, after.start(1), stop if stop >= 0 else after.end() + NEAR)


def _by_sign(text: str, line: int, begin: int, end: int) -> str:
    if not ANY_SIGN.search(text, max(line, begin - FAR), end + REACH):
        return ""
    first, stop = max(line, begin - NEAR), text.find("\n", end, end + NEAR)
    row = text[first : stop if stop >= 0 else end + NEAR]
    begin, end = begin - first, end - first
    if glued := GLUED.search(row[max(0, begin - REACH) : begin]):
        return _meant(glued[1]) if SIGNED.search(row) else ""
    sign = ""
    for place, stands_before, bracketed in _signs(row):
        if stands_before and place.end() <= begin:
            between = row[place.end() : begin]
            said = LISTED.fullmatch(between) if bracketed and len(between) <= FAR else not between.strip()
            sign = place[1] or place[2] if said else ""
        elif not stands_before and place.start() >= end:
            if BEHIND.fullmatch(row, end, place.start()):
                sign = place[1] or place[2]
            break
    return _meant(sign) if sign else ""


def _meant(sign: str) -> str:
    return "yes" if sign == "+" else "no"


def _signs(row: str) -> Iterator[tuple[re.Match[str], bool, bool]]:
    """The signs of a line, whether each stands before what it is said of, and whether it is in brackets.

    What stands beside it tells, as in "(+) fever, (-) chills" and "fever (+), chills (-)", or else most of the others do.
    """
    signs = [(sign, *_sides(row, sign)) for sign in SIGN.finditer(row)]
    balance = sum(leads - trails for _, leads, trails in signs)
    alone = sum(sign[2] == "+" for sign, _, _ in signs)
    if not any(sign[1] or (sign[2] == "+" and leads != trails) for sign, leads, trails in signs):
        return
    for sign, leads, trails in signs:
        if sign[2] and sign[2] != "+" and (not row[: sign.start()].strip() or (leads == trails and alone < ENOUGH)):
            continue  # a bullet, a dash
        side = leads - trails or balance
        if side:
            yield sign, side > 0, bool(sign[1])


def _sides(row: str, sign: re.Match[str]) -> tuple[bool, bool]:
    """Whether something begins with the sign, and whether something ends with it; "Fever: (-)," ends with it."""
    lead, rest = row[: sign.start()], row[sign.end() :]
    trails = rest.lstrip()[:1] in ("", *",;.|)")
    begins = lead.rstrip()[-1:] in ("", *":;,.|•/(") or (lead.endswith(("  ", "\t")) and rest[1:2].isalpha())
    return (begins and not trails), trails
