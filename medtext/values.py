"""What the result of a test says, as numbers and codes.

A reading is made only where the whole text is understood; what could be read in two ways gives none. The words are in
`rules/values.tsv`, the units in `rules/units.tsv`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from medtext.marks import PER_VOLUME, STRENGTHS, Marks
from medtext.rulebook import any_of
from medtext.schema import Value

NAMES = (
    "pressure",
    "no-reference",
    "no-score",
    "no-range",
    "signed",
    "volume",
    "hours",
    "seconds",
    "temperature",
    "height",
    "weight",
    "no-percent",
    "ion",
    "serology",
    "laboratory",
    "lakhs",
)
"""Roles of words in a test's name."""
ROLES = (
    "interpretation",
    "serologic",
    "degree",
    *STRENGTHS,
    "comparator",
    "denial",
    "goal",
    "change",
    "move",
    "reference",
    "bracketed",
    "scale",
    *NAMES,
)
CODES = {
    "interpretation": ("H", "L", "N", "A", "POS", "NEG"),
    "serologic": ("POS", "NEG"),
    **dict.fromkeys(STRENGTHS, ("H", "L", "N", "A", "")),
    "comparator": ("", "<", "<=", ">", ">=", "~"),
}
"""What a word of such a role can mean."""
REMEMBERED = 1 << 13  # texts whose readings are kept
LONGEST = 100  # a result, a unit or the name of a test, in characters
TIMES = frozenset({"s", "min", "h", "d", "wk", "mo", "a"})  # units that no result of a laboratory has
LARGEST_BARE = 99_999  # a larger number without a unit or thousands separators may be an identifier
SYSTOLIC, DIASTOLIC = (50, 300), (20, 200)  # lowest and highest, in mmHg

RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
TYPED = str.maketrans({**dict(zip("µμ–—−×", "uu---x", strict=True)), "°": "deg", "≤": "<=", "≥": ">="})
ALIGNED = str.maketrans(f"µμ–—−×{RAISED}", "uu---x0123456789")  # what of that leaves offsets as they are
EXPONENT = re.compile(rf"[{RAISED}]+")
NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)"
POWER = re.compile(r"x?10[\^*e(]{1,2}\+?0?([1-9]|1[0-2])\)?|x?10(3|6|9|12)|e\+?0?([1-9]|1[0-2])")
SCALED = re.compile(r"(x?\s?10\S{1,6}|e\S{1,3})\s([^/\s].*)")  # "10^6 IU/mL"; "10^9/L" is a unit
BARE_POWER = re.compile(r"\A([^\dx]{0,30})10(?:\^|\*\*?)([2-9])(?!\d)")  # "> 10^5"
SCORE = re.compile(r"(\d{1,3}(?:\.\d)?)\s?(?:/|out of|of)\s?(\d{1,3})")
PRESSURE = re.compile(r"(\d{2,3})\s?(?:/|over)\s?(?:(\d{2,3})|p|palp|palpation|doppler)\s?([^\d\s].*)?")
BETWEEN = re.compile(r"between (.+) and ")
GRADE = re.compile(r"([1-4])\s?(?:\+|plus)(?:\s?/\s?4\s?\+?)?|(\+)\s?([1-4])|(\+{2,4})")
ROMAN = re.compile(r"(iv|vi|v|i{1,3})\s?/\s?(iv|vi|v)")
ROMANS = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}
FACTORS = {"k": 1e3, "thousand": 1e3, "million": 1e6}
DECADE = re.compile(r"\d0['’]?s(?![\w/])")  # "in the 70s"
TREND = re.compile(r"(?<![^\s(:=,;>])\d[\d.,/]{0,9}[%*]?(?:\s?\([HL]{1,2}\))?\s[<>]\s$")  # "2.6 > 2.1" is two results
CHARGE = re.compile(r"\d?[+-]{1,2}\s+(?=[\d.<>~])")  # "+ 132" of "Na+ 132"
DASHES = "-–—−"
MINUS_ENDS = re.compile(r"\s*$|\s*\n|\s?[,;.)\]/'\"|]|\s{2}")  # behind "nitrite -"; not "CXR - clear"
FEET = re.compile(r"([1-8])\s?(?:'|ft\.?|feet|foot),?\s?(\d{1,2}(?:\.\d)?)\s?(?:\"|''|in(?:ch(?:es)?)?\.?)?")
POUNDS = re.compile(r"(\d{1,3})\s?(?:lbs?\.?|pounds?),?\s?(\d{1,2}(?:\.\d{1,2})?)\s?(?:oz\.?|ounces?)")
TWO_UNITS = re.compile(rf"(?:{FEET.pattern}|{POUNDS.pattern})(?![\w/.])", re.IGNORECASE)
GOES_ON = re.compile(  # "60" of "60% to 65%", "7" of "7,32", "5" of "5 ft 9 in", "9" of "9 lb 4 oz"; not before "FT4" or "BE -2"
    r"(?! [A-Za-z]{1,8} -\d) ?(?P<word>[^\s\d(\[,;:|<>-]{0,8}) ?(?:-|–|to) ?\d|/\d|,\d| ?(?:ft|[Ff]eet|[Ff]oot)\.?,? ?\d{1,2}\b"
    r"| ?(?:[Ll]bs?|[Pp]ounds?),? ?\d{1,2}(?:\.\d{1,2})? ?(?:oz|[Oo]unces?)\b"
)
WENT_BEFORE = re.compile(  # the \0 of "7,\0", "5 ft \0 in", "9 lb \0 oz", "3.4E\0", "10^\0", "log\0", "55 ± \0"
    r"\d(?:[,/]| ?(?:ft|[Ff]eet|[Ff]oot)\.?,? ?| ?(?:[Ll]bs?|[Pp]ounds?),? ?(?=\0 ?(?:oz|[Oo]unces?)\b))\0"
    r"|\d(?:[eE]\+?| ?(?:±|\+/-) ?)\0|(?<!\d)10[\^*(]{1,2}\0|\b[Ll]og_?\0"
)
A_POWER = rf"(?:[\^*e(]{{1,2}}\+?\d{{1,2}}\)?|[{RAISED}]{{1,2}})"
UNIT_BEHIND = re.compile(
    rf"\s{{0,3}}(?P<unit>(?:[x×]\s?)?10{A_POWER}(?:\s?/\s?|\s[a-z]{{1,12}}/)\w{{1,5}}|[x×]\s?10(?:{A_POWER}|[369](?!\d)|12(?!\d))"
    r"|e\+?\d{1,2}\s[a-z]{1,12}/\w{1,5}|log(?:10)?\s?(?:iu|cop(?:ies|y)|cps?)/ml|%(?:ile)?(?!\w)|°\s?[cf](?!\w)|/[hl]pf"
    r"|[^\W\d_][^\s\d./|()\[\],;:<>=]{0,15}(?:/[^\s/|()\[\],;:<>=]{0,12}){0,3}(?:(?<=/cu)\.?\s?mm)?)(?!\s?(?:squared|per\b|[\^²]))",
    re.IGNORECASE,
)
PLAIN_UNIT = re.compile(  # one that is nothing else; not "d/c", "f/u", "in"
    rf"%|°|/|lakhs?\b|[x×]\s?10|10[\^*e({RAISED}]|e\+?\d|log|deg[cf]\b|[^\W\d]{{2,}}/(?:\w{{2,}}|[lhgsd]\b)|[gukml]/\w{{2,}}|[gu]/[lgd]\b",
    re.IGNORECASE,
)
THOUSANDS = re.compile(r"(k)(?![\w/])(?!\s?(?:[\d:=]|\.\d))", re.IGNORECASE)  # "112K"; not "Na 138K 4.0"
ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)(?=\s|%|$)")  # "97th percentile"
RANGE_BEFORE = re.compile(  # "Sodium | 136 - 145 mmol/L | 138", "ALT <50 U/L 88"
    rf"[^\S\n]{{0,20}}(?:[|\t:][^\S\n]{{0,20}})?(?P<open>[(\[])?"
    rf"(?:(?P<low>{NUMBER})\s?[-–]\s?(?P<high>{NUMBER})|(?P<bound>[<>]=?|[≤≥])\s?(?P<number>{NUMBER}))"
    r"\s?(?P<unit>(?:(?:x\s?)?10[\^*]|[^\W\d_]|%)[^\s|()\[\]]{0,14})(?P<close>[)\]])?"
    r"(?:[^\S\n]{0,20}[|\t:])?[^\S\n]{1,20}(?=[<>]?\d)"
)
RANGE_OF_DAY = re.compile(r"\s?:?\s{0,3}\[[^\[\]\n]{3,60}\]\s?(?:\(!\)\s)?(?=\d)")
CHARTED = re.compile(r"\((?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC) \d\d(?: \d\d:\d\d)?\)$")  # Cerner's dates
CHANGE = re.compile(r"\bfrom\s(?:\S+\s(?:\S+\s)?to\s?)?$")  # "from 12.6 to 10.2" is two results
RANGING = re.compile(r"\b(?:rang|var|fluctuat)")
FOR = re.compile(r"\s+for\b")
RANGE = re.compile(r"\d\s?(?:-|–|—|−|to)\s?\.?\d|[<>≤≥]=?\s?\.?\d")
COLUMN_ENDS = re.compile(r"\s*$|\s{2}|\s*\||\t|,(?!\s)")
any_word = partial(any_of, whole=True)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as notes write it, and its UCUM code."""

    id: str
    term: str
    ucum: str

    def __post_init__(self) -> None:
        if " " in self.ucum:
            raise ValueError(f"the UCUM code of {self.id!r} holds a blank")


@dataclass(frozen=True, slots=True)
class ValueWord:
    """A word in or round results, or in a test's name; see the head of `rules/values.tsv`."""

    id: str
    role: str
    term: str
    means: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"{self.role!r} is no role; there are {', '.join(ROLES)}")
        if self.role in CODES and self.means not in CODES[self.role]:
            raise ValueError(f"{self.id!r} means none of {' '.join(CODES[self.role])}")
        if self.role == "scale" and not self.term.isdigit():
            raise ValueError(f"the scale {self.id!r} is no number")


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference range in the text behind a value, at `[begin, end)` of that text; a bound not stated is None.

    `unit` (UCUM) and `flag` are those beside it, "" where there are none.
    """

    begin: int
    end: int
    low: float | None
    high: float | None
    unit: str = ""
    flag: str = ""


class Units:
    """Looks up UCUM codes."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._codes = {_squeezed(unit.term): unit.ucum for unit in units}
        self.code = lru_cache(REMEMBERED)(self._code)

    def _code(self, text: str) -> str:
        """The UCUM code of a unit as it is written ("mg/dl", "mL per minute"); "" where it is not known."""
        squeezed = _squeezed(text)
        if code := self._codes.get(squeezed):
            return code
        top, *below = squeezed.split("/")
        parts = [self._part(part) for part in ([top, *below] if top else below)]
        if not below or not all(parts):
            return self._part(top) if not below and POWER.fullmatch(top) else ""
        return "/".join(parts if top else ["", *parts])

    def _part(self, part: str) -> str:
        if power := POWER.fullmatch(part):
            return f"10*{_exponent(power)}"
        code = self._codes.get(part, "")
        return "" if "/" in code or code == "%" else code


class ValueReader:
    """Reads results; keeps its readings of the last few thousand short texts in memory."""

    def __init__(self, units: Iterable[Unit], words: Iterable[ValueWord]) -> None:
        self.units = Units(units)
        terms: dict[str, dict[str, str]] = {role: {} for role in ROLES}
        for word in words:
            terms[word.role][word.term if "flag" in word.role else word.term.lower()] = word.means
        self._interpretations, self._comparators = terms["interpretation"], terms["comparator"]
        self._serologic = terms["serologic"]
        self.marks = Marks(terms)
        self._moves = frozenset(terms["move"])
        self._scales = frozenset(map(int, terms["scale"]))
        self._degree = re.compile(rf"(?:{any_word(terms['degree'])})\s")
        self._names = {role: _in_a_name(terms[role], whole=role == "no-percent") for role in NAMES}
        comparator, reference, bracketed = (any_word(terms[role]) for role in ("comparator", "reference", "bracketed"))
        self._before = re.compile(
            rf"(?:(?<!\w)(?P<denial>{any_word(terms['denial'])})|(?<!\w)(?P<change>{any_word(terms['change'])})(?:\s(?:{comparator}))?"
            rf"|(?P<range>\d\S*\s?(?:-|–|to|over))|(?<![\w<>=-])(?P<comparator>{comparator}))\s?$"
        )
        self.goal = re.compile(rf"(?<!\w)(?:{any_word(terms['goal'])})\s?(?:of|is|:)?\s?$", re.IGNORECASE)
        mark, in_brackets = self.marks.expression, self.marks.bracketed
        unit = r"(?:[^\d\s.,<>=()+-]|10[\^*e]).*"
        self._quantity = re.compile(
            rf"(?P<comparator>{comparator})?\s?(?P<sign>[-+])?(?P<low>{NUMBER})(?:\s?(?P<unit>{unit}?))??"
            rf"(?:\s?(?:-|to)\s?(?P<high>{NUMBER})(?:\s?(?P<unit2>{unit}))?)?"
        )
        self._marked = re.compile(rf"(?P<value>.*\d.*?)\s?(?<![A-Za-z/])(?P<mark>{mark})")
        self._mark_behind = re.compile(
            rf"(?P<star>\*)(?![\w*])|\s{{0,12}}(?P<mark>{in_brackets}|{mark}(?=\s*$|\s{{2}}|\s?[,;.|()\[\]]|\t|\s(?P<rest>\S)))"
        )
        self._mark_before = re.compile(rf"(?:^|[\s:|])(?P<mark>{mark})\s{{1,12}}$")
        self._column_of_mark = re.compile(rf"(?:\s{{2,}}|\t|\s?\|)\s*{mark}(?:\s{{2,}}|\t|\s?\|)[\s|]*")
        self._mark_after_range = re.compile(rf"[\s|,]*(?P<mark>{mark})(?=\s*$|\s{{2}}|[|,]|\t)")
        self._reference = re.compile(
            rf"(?P<between>(?:(?:,(?!\s)|[\s|]*)(?:{mark}|[^\s\d|()\[\]<>≤≥,;=][^\s|()\[\]<>≤≥,;=]*|10[\^*e]\d\S*)){{0,3}}?"
            rf"(?:,(?!\s)|[\s|]*))(?:,\s)?(?P<open>[(\[])?\s?(?P<word>(?i:{reference}|(?<=[(\[])(?:{bracketed}))\.?\s?[:=]?\s?)?"
            rf"(?:(?P<low>{NUMBER})\s?(?:-|to)\s?(?P<high>{NUMBER})|(?P<bound>[<>]=?|[≤≥])\s?(?P<number>{NUMBER}))"
            r"(?![\w/.,-]?\d|/)\s?(?P<unit>[^\s\d|()\[\],;.][^\s|()\[\],;]*)?\s?(?P<close>[)\]])?"
        )
        self._roles = lru_cache(REMEMBERED)(self._roles_of)
        self._read = lru_cache(REMEMBERED)(self._reading)

    def read(self, text: str, unit: str = "", test: str = "", before: str = "", after: str = "") -> Value | None:
        """What a result says, or None where that is not certain.

        Args:
            text: the result as it is written ("120/80", "< 5", "2+", "slightly elevated").
            unit: its unit as it is written elsewhere ("mg/dL"); one within `text` counts before that.
            test: the name of the test, which tells a blood pressure from a score.
            before, after: what stands beside the result, which can make something else of it ("less than", "not", "to 65").
        """
        if max(len(text), len(unit), len(test)) > LONGEST:
            return None
        roles = self._roles(test)
        plain = self._between(text, roles, test, before, after)
        if not plain:
            return None
        value = self._read(plain, "" if self.marks.is_one(unit, roles) else unit, roles)
        return None if value and value.interpretation == "NEG" and FOR.match(after) else value

    def whole(self, text: str, tail: str, test: str = "") -> str:
        """A result with what of `tail`, the rest of its line, is part of it: "5" with " ft 10 in"."""
        match = TWO_UNITS.match(text + tail[:LONGEST]) if text[0].isdigit() else None
        whole = match[0] if match and match.end() > len(text) else text
        return whole if self._in_two_units(_plain(whole), self._roles(test[:LONGEST])) else text

    def unit(self, tail: str, test: str = "") -> str:
        """The unit with which `tail`, the rest of a value's line, plainly begins, as it is written; "" where it does not."""
        if tail[:1] == "#" and "weight" in self._roles(test[:LONGEST]):
            return "lb"
        if thousands := THOUSANDS.match(tail):
            return thousands[1]
        match = UNIT_BEHIND.match(tail)
        plain = match and PLAIN_UNIT.match(match["unit"]) and self.units.code(_without_factor(_plain(match["unit"]))[0])
        return match["unit"] if match and plain else ""

    def marked(self, value: Value, test: str = "", before: str = "", tail: str = "") -> tuple[Value, int]:
        """The value with the mark and the reference range that stand beside it, and how far they reach into `tail`.

        Args:
            value: a number of a test, as `read` gives it.
            test, before: as for `read`.
            tail: the rest of the value's line.
        """
        if value.low is None and value.high is None and value.systolic is None:
            return value, 0
        roles, end = self._roles(test[:LONGEST]), 0
        code = value.interpretation or self._code_before(before, test, roles, value)
        if value.systolic is None and (found := self.reference(tail, test)):
            return with_reference(replace(value, interpretation=code), found), found.end
        if not code and not value.scale and not before.endswith("*"):
            code, end = self._code_behind(tail, roles, value)
        return (replace(value, interpretation=code) if code != value.interpretation else value), end

    def reference(self, tail: str, test: str = "") -> Reference | None:
        """The reference range that `tail`, the rest of a value's line, plainly gives for it, or None.

        Plain is a range after a word ("ref 0-40"); one in brackets ("(3.5-5.0)"), unless `test` is a vital sign or the
        like; and one that ends a line or a column and stands in a column of its own, behind a unit or a mark, or before a
        unit.
        """
        if not RANGE.search(tail):
            return None  # as on most lines, and cheaper to see so
        match = self._reference.match(tail if tail.isascii() else tail.translate(ALIGNED))
        if not match or bool(match["open"]) != bool(match["close"]):
            return None
        roles = self._roles(test[:LONGEST])
        words, unit = re.findall(r"[^\s|,]+", match["between"]), match["unit"] or ""
        marks = [word for word in (*words, unit) if self.marks.is_one(word, roles)]
        units = (" ".join(word for word in words if word not in marks), "" if unit in marks else unit)
        codes = {self.units.code(one) for one in units if one}
        end = match.end() if match["bound"] else len(tail[: match.end()].rstrip())
        if not marks and (after := self._mark_after_range.match(tail, end)) and self.marks.is_one(after["mark"], roles):
            marks, end = [after["mark"]], after.end()
        if len(codes) > 1 or "" in codes or len(marks) > 1:
            return None
        sure = bool(match["between"].strip(" |\t,")) or any(PER_VOLUME.search(code) for code in codes)
        if not match["word"] and not self._is_plain(match, tail[end:], roles, sure):
            return None
        low, high = _bounds(match)
        if low is not None and high is not None and low >= high:
            return None
        begin = match.start("low") if match["low"] else match.start("bound")
        flag = self.marks.code(marks[0], roles) if marks else ""
        return Reference(begin, max(end, match.end()), low, high, next(iter(codes), ""), flag or "")

    def reference_before(self, text: str, begin: int, test: str) -> Reference | None:
        """The reference range, with its unit, that stands between a laboratory's test, which ends at `begin`, and its result."""
        roles = self._roles(test[:LONGEST])
        match = RANGE_BEFORE.match(text, begin) if "laboratory" in roles and "no-reference" not in roles else None
        code = self.units.code(match["unit"]) if match and bool(match["open"]) == bool(match["close"]) else ""
        if not match or not code or code in TIMES:
            return None
        low, high = _bounds(match)
        sorted_ = low is None or high is None or low < high
        return Reference(match.start(), match.end(), low, high, code) if sorted_ else None

    def _between(self, text: str, roles: frozenset[str], test: str, before: str, after: str) -> str:
        """A result as it reads between what stands beside it ("50" behind "less than"); "" where that makes no result of it."""
        beside = self._before.search(before.lower())
        if (beside and beside["denial"]) or self.goal.search(before):
            return ""
        if DECADE.search(text + after[:3]) and "seconds" not in roles:
            return ""
        if "ion" in roles and before.endswith(test):
            text = CHARGE.sub("", text, count=1)
        if text[0] == "." and before.endswith("."):
            text = text.lstrip(".") or text  # "Sodium.....138"
        if text[0] in DASHES and "signed" not in roles:
            text = _without_stroke(text, before, test)
        sign = text[:2] if text[0] in "<>" else ""
        trend = TREND.search(before + sign) and not before.rstrip(" <>").endswith(test)
        if sign:
            return text.removeprefix(sign) if trend else text
        if text in DASHES:
            return text if _is_minus(before, after, test) else ""
        if not text[0].isdigit():
            return text
        if (self._goes_on(text, after) or (beside and beside["range"])) and not _is_a_change(before):
            return ""
        if WENT_BEFORE.search(f"{before}\0{after[:8]}") or _is_cut_out(text, before) or (beside and beside["change"]):
            return ""
        comparator = beside["comparator"] if beside and not trend else ""
        return f"{comparator} {text}" if self._comparators.get(comparator or "") else text

    def _goes_on(self, text: str, after: str) -> bool:
        """Whether a number is the first part of one: "60" of "60% to 65%", and not "9.8" of "9.8 dropped to 7.1"."""
        if text == "10" and after[:1] in ("^", "("):
            return True  # "10(5)"
        match = GOES_ON.match(after)
        return bool(match and (match["word"] or "").lower() not in self._moves)

    def is_mark(self, written: str, test: str) -> bool:
        """Whether what is tagged as the unit or a result of a test is a laboratory's mark: "L", unless the test is a volume."""
        return self.marks.is_one(written, self._roles(test[:LONGEST]))

    def is_normal_word(self, between: str, text: str, tail: str) -> bool:
        """Whether a result in words is what is normal, in the last column behind a mark: "Protein   3+   A   Negative"."""
        code = self._interpretations.get(_plain(text))
        return code in ("N", "NEG") and not tail.strip(" |\r") and bool(self._column_of_mark.fullmatch(between))

    def in_range_of_day(self, text: str, begin: int, place: int) -> bool:
        """Whether `place` is in a range between a test's name, which ends at `begin`, and its result: "Pulse: [78-104] 88"."""
        match = RANGE_OF_DAY.match(text, begin) if begin < place else None
        return bool(match and place < match.end() and ("-" in match[0] or "–" in match[0]))

    def _code_before(self, before: str, test: str, roles: frozenset[str], value: Value) -> str:
        """What a mark before a value says: "BP (!) 162/94", "Potassium H 5.9 (APR 02) H 5.6"."""
        match = self._mark_before.search(before)
        if not match:
            return ""
        mark, name = match["mark"], before[: match.start("mark")].rstrip(" :|\t")
        own = name.endswith(test[-8:]) or CHARTED.search(name)
        named = "laboratory" in roles and own and len(mark.strip("()[]")) <= 2
        return (self.marks.code(mark, roles, value) or "") if named or mark == "(!)" else ""

    def _code_behind(self, tail: str, roles: frozenset[str], value: Value) -> tuple[str, int]:
        """What a mark behind a value, or behind its unit, says, and where the mark ends."""
        unit = UNIT_BEHIND.match(tail)
        if unit and (self.marks.is_one(unit["unit"], roles) or not self.units.code(unit["unit"])):
            unit = None
        match = self._mark_behind.match(tail, unit.end() if unit else 0)
        if not match or (match["rest"] and not self.unit(tail[match.end("mark") :])):
            return "", 0
        code = self.marks.code(match["star"] or match["mark"], roles, value)
        return (code, match.end()) if code else ("", 0)

    def _roles_of(self, test: str) -> frozenset[str]:
        name = " ".join(test.lower().split())
        return frozenset(role for role, terms in self._names.items() if terms.search(name))

    def _reading(self, text: str, unit: str, roles: frozenset[str]) -> Value | None:
        plain = _plain(text)
        word = self._degree.sub("", plain)
        if code := self._interpretations.get(word) or ("serology" in roles and self._serologic.get(word)):
            return Value(interpretation=code)
        if not any(map(str.isdigit, plain)) and plain[:1] not in "+iv":
            return None
        match = self._marked.fullmatch(" ".join(text.split()))
        if match and self.marks.is_one(match["mark"], roles):
            return self._with_mark(match, unit, roles)
        return self._numeric(plain, unit, roles)

    def _with_mark(self, match: re.Match[str], unit: str, roles: frozenset[str]) -> Value | None:
        value = self._numeric(_plain(match["value"]), unit, roles)
        if value is None or value.scale or value.grade:
            return None
        code = self.marks.code(match["mark"], roles, value)
        if code is None and match["mark"][0] not in "([":
            return None  # "kidney 9.1 L"
        return replace(value, interpretation=code or "")

    def _numeric(self, plain: str, unit: str, roles: frozenset[str]) -> Value | None:
        return (
            self._pressure(plain, unit, roles)
            or self._in_two_units(plain, roles)
            or (None if unit else self._grade(plain, roles))
            or self._score(plain, roles)
            or self._number(BETWEEN.sub(r"\1-", plain), unit, roles)
        )

    def _pressure(self, plain: str, unit: str, roles: frozenset[str]) -> Value | None:
        match = PRESSURE.fullmatch(plain)
        if not match:
            return None
        written = match[3] or unit
        code = self.units.code(written) if written else ""
        if code not in ("", "mm[Hg]") or not (code or "pressure" in roles):
            return None
        systolic, diastolic = int(match[1]), int(match[2] or 0)
        if not SYSTOLIC[0] <= systolic <= SYSTOLIC[1]:
            return None
        if diastolic and not (DIASTOLIC[0] <= diastolic <= DIASTOLIC[1] and diastolic < systolic):
            return None
        return Value(systolic=systolic, diastolic=diastolic or None, unit="mm[Hg]")

    def _in_two_units(self, plain: str, roles: frozenset[str]) -> Value | None:
        """Feet and inches as inches, pounds and ounces as pounds."""
        if match := POUNDS.fullmatch(plain):
            number, of, unit = int(match[1]) + float(match[2]) / 16, 16, "[lb_av]"
        elif (match := FEET.fullmatch(plain)) and "height" in roles:
            number, of, unit = 12 * int(match[1]) + float(match[2]), 12, "[in_i]"
        else:
            return None
        number = round(number, 4)
        return Value(low=number, high=number, unit=unit) if float(match[2]) < of else None

    def _grade(self, plain: str, roles: frozenset[str]) -> Value | None:
        match = GRADE.fullmatch(plain)
        if not match or (match[2] and "signed" in roles):
            return None
        return Value(grade=int(match[1] or match[3] or len(match[4])))

    def _score(self, plain: str, roles: frozenset[str]) -> Value | None:
        if roman := ROMAN.fullmatch(plain):
            number, scale = float(ROMANS[roman[1]]), ROMANS[roman[2]]
        elif match := SCORE.fullmatch(plain):
            number, scale = float(match[1]), int(match[2])
        else:
            return None
        known = scale in self._scales and number <= scale and "no-score" not in roles
        return Value(low=number, high=number, scale=scale) if known else None

    def _number(self, plain: str, unit: str, roles: frozenset[str]) -> Value | None:
        if "ile" in plain or "ile" in unit:
            plain = ORDINAL.sub("", plain)
        plain = BARE_POWER.sub(lambda power: f"{power[1]}{10 ** int(power[2]):,}", plain, count=1)
        match = self._quantity.fullmatch(plain)
        if not match or (match["sign"] and (match["high"] or "signed" not in roles)):
            return None
        if match["unit"] and match["unit2"] and match["unit"].strip() != match["unit2"]:
            return None
        own = (match["unit2"] or match["unit"] or "").strip()
        if POWER.fullmatch(_squeezed(own)) and unit:
            own = f"{own}{'' if unit[0] == '/' else ' '}{_plain(unit)}"
        written, factor = _without_factor(own or _plain(unit))
        written = written or (unit if own else "")
        code = self.units.code(written) if written else ""
        if not code and written and (own or any(map(str.isdigit, unit))):
            return None  # what is not understood may change the number
        if (own == "l" and "volume" not in roles) or (code == "%" and "no-percent" in roles):
            return None  # "6l" may be 61, and "Hgb 8.2, 96%" is another test's
        if code in TIMES and "laboratory" in roles and not roles & {"seconds", "hours"}:
            return None  # "glucose 2 h", "PSA doubling time 4 months", "Hgb in the 8s"
        comparator = self._comparators[match["comparator"]] if match["comparator"] else ""
        low = round(_number(match["low"]) * factor, 6)
        high = round(_number(match["high"]) * factor, 6) if match["high"] else low
        if max(low, high) > LARGEST_BARE and not (code or factor > 1 or "," in plain):
            return None
        if match["high"]:
            certain = comparator in ("", "~") and _is_range(match, low, high, bool(code) or factor > 1, roles)
            return Value(low=low, high=high, comparator=comparator, unit=code) if certain else None
        number = -low if match["sign"] == "-" else low
        return Value(
            low=None if comparator[:1] == "<" else number,
            high=None if comparator[:1] == ">" else number,
            comparator=comparator,
            unit=code,
        )

    def _is_plain(self, match: re.Match[str], rest: str, roles: frozenset[str], sure: bool) -> bool:
        """Whether a range that no word introduces is a reference range; `sure` where a unit or a mark stands beside it."""
        if "no-reference" in roles:
            return False
        if match["open"]:
            return True
        if match["bound"] and match["unit"] and self.marks.is_one(match["unit"], roles):
            return False  # "4   <3 L": the next result
        column = re.search(r"\||\t|\s{2}", match["between"])
        return bool(column or sure) and bool(COLUMN_ENDS.match(rest))


def with_reference(value: Value, found: Reference) -> Value:
    """The number with the reference range beside it, and whether it lies outside; as it is if it has one.

    `abnormal` stays None where a bound of the value or the range leaves that open ("> 3" of 1-5), and where the flag
    beside it says something else; the flag is then left out as well.
    """
    bounds = (value.reference_low, value.reference_high)
    if value.low is value.high is None or bounds != (None, None):
        return value
    outside = _is_outside(value, found)
    flag = found.flag or value.interpretation
    if flag in ("H", "L", "N", "A") and outside is not None and (flag == "N") == outside:
        flag, outside = "", None
    return replace(
        value,
        unit=value.unit or found.unit,
        interpretation=flag,
        reference_low=found.low,
        reference_high=found.high,
        abnormal=outside,
    )


def _is_outside(value: Value, found: Reference) -> bool | None:
    low, high = value.low, value.high
    if value.comparator == "~" or (value.unit and found.unit and value.unit != found.unit):
        return None
    if low is not None and found.high is not None and low > found.high:
        return True
    if high is not None and found.low is not None and high < found.low:
        return True
    enough = not found.low or (low is not None and low >= found.low)  # nothing measured lies below 0
    little = found.high is None or (high is not None and high <= found.high)
    return False if enough and little else None


def _is_a_change(before: str) -> bool:
    """Whether a number behind this is one of the two of "from 12.6 to 10.2"."""
    return bool(CHANGE.search(before) and not RANGING.search(before))


def _is_range(match: re.Match[str], low: float, high: float, has_unit: bool, roles: frozenset[str]) -> bool:
    """Whether two numbers with a dash between them are the ends of a range."""
    if low >= high or (not has_unit and "no-range" in roles):
        return False
    if "," in match["high"] and "," not in match["low"] and low < 1000:
        return False  # "10-50,000" means thousands twice
    return has_unit or high < 1000 or "," in match["high"]  # "555-1234" is no range


def _is_cut_out(text: str, before: str) -> bool:
    """Whether a grade is the end of a word: "2+" of "HER2+"."""
    return before[-1:].isalpha() and bool(GRADE.fullmatch(text))


def _is_minus(before: str, after: str, test: str) -> bool:
    """Whether a dash between these is a result and not the stroke between two words: "CK20-, TTF1 -, -Murphy's"."""
    glued = before[-1:].isalnum() and not after[:1].isalnum()
    return glued or after.startswith(test[:8]) or bool(MINUS_ENDS.match(after))


def _without_stroke(text: str, before: str, test: str) -> str:
    """A number without the stroke between it and its test: "HR-88", "BP- 130/80", "Temp - 98.4"; not "Wt -2 kg"."""
    number = text[1:].lstrip()
    parted = before.endswith(test) or (number != text[1:] and before.rstrip().endswith(test))
    return number if parted and number[:1].isdigit() else text


def _in_a_name(terms: Iterable[str], whole: bool) -> re.Pattern[str]:
    """Finds one of the terms in a name; one of a single letter, and with `whole` any, only where it is the name."""
    terms = list(terms)
    names, words = [term for term in terms if whole or len(term) == 1], [term for term in terms if len(term) > 1]
    inside = rf"|(?<!\w)(?:{any_word(words)})(?!\w)" if not whole else ""
    return re.compile(rf"\A(?:{any_word(names)})\Z{inside}")


def _typed(text: str) -> str:
    """A text in small letters as keyboards write it: "cm^2" for "cm²"."""
    if not text.isascii():
        text = EXPONENT.sub(lambda raised: "^" + raised[0].translate(ALIGNED), text).translate(TYPED)
    return text.lower()


def _plain(text: str) -> str:
    return " ".join(_typed(text).split()).rstrip(".,;")


def _squeezed(unit: str) -> str:
    unit = re.sub(r"(?:^|\s+)per\s+", "/", _typed(unit.strip()))
    return re.sub(r"\s+", "", unit).rstrip(".").replace("m^2", "m2").replace("m*2", "m2").replace("m^3", "m3")


def _without_factor(unit: str) -> tuple[str, float]:
    """A unit without the thousand, million or power of ten before it, and that."""
    head, _, rest = unit.partition(" ")
    if head in FACTORS:
        return rest, FACTORS[head]
    if (match := SCALED.fullmatch(unit)) and (power := POWER.fullmatch(_squeezed(match[1]))):
        return match[2], 10.0 ** _exponent(power)
    return unit, 1.0


def _exponent(power: re.Match[str]) -> int:
    return int(power[power.lastindex or 1])


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _bounds(match: re.Match[str]) -> tuple[float | None, float | None]:
    if match["low"]:
        return _number(match["low"]), _number(match["high"])
    number = _number(match["number"])
    return (None, number) if match["bound"][0] in "<≤" else (number, None)
