"""What the result of a test says, as numbers and codes.

A reading is made only where the whole text is understood; what could be read in two ways gives none. The words are in
`rules/values.tsv`, the units in `rules/units.tsv`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from medtext.rulebook import any_of
from medtext.schema import Value

NAMES = ("pressure", "no-reference", "no-score", "no-range", "signed", "volume")
"""Roles of words in a test's name."""
ROLES = (
    "interpretation",
    "degree",
    "flag",
    "weak-flag",
    "comparator",
    "denial",
    "goal",
    "change",
    "reference",
    "scale",
    *NAMES,
)
CODES = {
    "interpretation": ("H", "L", "N", "A", "POS", "NEG"),
    "flag": ("H", "L", "N", "A"),
    "weak-flag": ("H", "L", "N", "A"),
    "comparator": ("", "<", "<=", ">", ">=", "~"),
}
"""What a word of such a role can mean."""
REMEMBERED = 1 << 13  # texts whose readings are kept
LONGEST = 100  # a result, a unit or the name of a test, in characters
LARGEST_BARE = 99_999  # a larger number without a unit or thousands separators may be an identifier
SYSTOLIC, DIASTOLIC = (50, 300), (20, 200)  # lowest and highest, in mmHg

TYPED = str.maketrans({**dict(zip("µμ²³⁶⁹–—−", "uu2369---", strict=True)), "°": "deg", "≤": "<=", "≥": ">="})
ALIGNED = str.maketrans("µμ²³⁶⁹–—−", "uu2369---")  # what of that leaves offsets as they are
NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)"
POWER = re.compile(r"x?10[\^*e(]*\+?0?(3|6|9|12)\)?")
SCORE = re.compile(r"(\d{1,3}(?:\.\d)?)\s?(?:/|out of|of)\s?(\d{1,3})")
PRESSURE = re.compile(r"(\d{2,3})\s?(?:/|over)\s?(?:(\d{2,3})|p|palp|palpation|doppler)\s?([^\d\s].*)?")
BETWEEN = re.compile(r"between (.+) and ")
GRADE = re.compile(r"([1-4])\s?(?:\+|plus)(?:\s?/\s?4\s?\+?)?|(\+)\s?([1-4])|(\+{2,4})")
ROMAN = re.compile(r"(iv|vi|v|i{1,3})\s?/\s?(iv|vi|v)")
ROMANS = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}
FACTORS = {"k": 1e3, "thousand": 1e3, "million": 1e6}
DECADE = re.compile(r"\d*0'?s")  # "in the 70s"
GOES_ON = (
    re.compile(  # "60" of "60% to 65%", "7" of "7,32", "5" of "5 ft 9 in", "9" of "9 lb 4 oz"; not "FT4" for a unit
        r" ?[^\s\d(\[,;:|<>-]{0,8} ?(?:-|–|to) ?\d|/\d|,\d| ?(?:ft|[Ff]eet|[Ff]oot)\.?,? ?\d{1,2}\b"
        r"| ?(?:[Ll]bs?|[Pp]ounds?),? ?\d{1,2} ?(?:oz|[Oo]unces?)\b"
    )
)
WENT_BEFORE = re.compile(r"\d[,/]$|\d ?(?:ft|[Ff]eet|[Ff]oot)\.?,? ?$")
CHANGE = re.compile(r"\bfrom\s(?:\S+\s(?:\S+\s)?to\s?)?$")  # "from 12.6 to 10.2" is two results
RANGING = re.compile(r"\b(?:rang|var|fluctuat)")
FOR = re.compile(r"\s+for\b")
RANGE = re.compile(r"\d\s?(?:-|–|—|−|to)\s?\.?\d|[<>≤≥]=?\s?\.?\d")
COLUMN_ENDS = re.compile(r"\s*$|\s{2}|\s*\||\t")
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
            return f"10*{power[1]}"
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
        self._flags = terms["flag"] | terms["weak-flag"]
        self._scales = frozenset(map(int, terms["scale"]))
        self._degree = re.compile(rf"(?:{any_word(terms['degree'])})\s")
        self._names = {role: _in_a_name(terms[role]) for role in NAMES}
        comparator, reference = any_word(terms["comparator"]), any_word(terms["reference"])
        self._before = re.compile(
            rf"(?:(?<!\w)(?P<denial>{any_word(terms['denial'])})|(?<!\w)(?P<change>{any_word(terms['change'])})(?:\s(?:{comparator}))?"
            rf"|(?P<range>\d\S*\s?(?:-|–|to|over))|(?<![\w<>=-])(?P<comparator>{comparator}))\s?$"
        )
        self.goal = re.compile(rf"(?<!\w)(?:{any_word(terms['goal'])})\s?(?:of|is|:)?\s?$", re.IGNORECASE)
        flag, any_flag = _marks(terms["flag"]), _marks(self._flags)
        unit = r"(?:[^\d\s.,<>=()+-]|10[\^*e]).*"
        self._quantity = re.compile(
            rf"(?P<comparator>{comparator})?\s?(?P<sign>[-+])?(?P<low>{NUMBER})(?:\s?(?P<unit>{unit}?))??"
            rf"(?:\s?(?:-|to)\s?(?P<high>{NUMBER})(?:\s?(?P<unit2>{unit}))?)?"
        )
        self._flagged = re.compile(rf"(?P<value>.*\d.*?)\s?(?<![A-Za-z/])(?P<flag>{any_flag})")
        self._flag_behind = re.compile(rf"\s{{0,12}}(?P<flag>{flag})(?=\s*$|\s{{2}}|\s?[,;.|]|\t)")
        self._flag_after_range = re.compile(rf"[\s|]*(?P<flag>{any_flag})(?=\s*$|\s{{2}}|\||\t)")
        self._reference = re.compile(
            rf"(?P<between>(?:[\s|]*(?:{any_flag}|[^\s\d|()\[\]<>≤≥,;=][^\s|()\[\]<>≤≥,;=]*|10[\^*e]\d\S*)){{0,3}}?[\s|]*)"
            rf"(?:,\s)?(?P<open>[(\[])?\s?(?P<word>(?i:{reference})\.?\s?[:=]?\s?)?"
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
        beside = self._before.search(before.lower())
        if (beside and beside["denial"]) or self.goal.search(before):
            return None
        if text[0].isdigit():
            if (GOES_ON.match(after) or (beside and beside["range"])) and not _is_a_change(before):
                return None
            if WENT_BEFORE.search(before):
                return None
            if beside and beside["change"]:
                return None
            if beside and self._comparators.get(beside["comparator"] or ""):
                text = f"{beside['comparator']} {text}"
        roles = self._roles(test)
        value = self._read(text, "" if unit == "L" and "volume" not in roles else unit, roles)  # "K 3.0 L" is low
        return None if value and value.interpretation == "NEG" and FOR.match(after) else value

    def reference(self, tail: str, test: str = "") -> Reference | None:
        """The reference range that `tail`, the rest of a value's line, plainly gives for it, or None.

        Plain is a range after a word ("ref 0-40"); one in brackets ("(3.5-5.0)"), unless `test` is a vital sign or the
        like; and one that ends a line or a column and stands in a column of its own or behind a unit or flag.
        """
        if not RANGE.search(tail):
            return None  # as on most lines, and cheaper to see so
        match = self._reference.match(tail if tail.isascii() else tail.translate(ALIGNED))
        if not match or bool(match["open"]) != bool(match["close"]):
            return None
        words = re.findall(r"[^\s|]+", match["between"])
        flags = [mark for word in words if (mark := word.strip("()[]")) in self._flags]
        units = [word for word in words if word.strip("()[]") not in self._flags]
        codes = {self.units.code(unit) for unit in [*units, *filter(None, [match["unit"]])]}
        if len(codes) > 1 or "" in codes or len(flags) > 1:
            return None
        end = match.end() if match["bound"] else len(tail[: match.end()].rstrip())
        if not match["word"] and not self._is_plain(match, tail[end:], test, bool(words)):
            return None
        if not flags and (after := self._flag_after_range.match(tail, match.end())):
            flags = [after["flag"].strip("()[]")]
        low, high = _bounds(match)
        if low is not None and high is not None and low >= high:
            return None
        begin = match.start("low") if match["low"] else match.start("bound")
        return Reference(begin, match.end(), low, high, *codes or [""], *[self._flags[flag] for flag in flags])

    def flag(self, tail: str) -> str:
        """The code of a flag with which `tail`, the rest of a value's line, begins; "" where it begins with none."""
        match = self._flag_behind.match(tail)
        return self._flags[match["flag"].strip("()[]")] if match else ""

    def _roles_of(self, test: str) -> frozenset[str]:
        name = test.lower()
        return frozenset(role for role, terms in self._names.items() if terms.search(name))

    def _reading(self, text: str, unit: str, roles: frozenset[str]) -> Value | None:
        plain = _plain(text)
        if code := self._interpretations.get(self._degree.sub("", plain)):
            return Value(interpretation=code)
        if not any(map(str.isdigit, plain)) and plain[:1] not in "+iv":
            return None
        if match := self._flagged.fullmatch(" ".join(text.split())):
            return self._with_flag(match, unit, roles)
        return self._numeric(plain, unit, roles)

    def _with_flag(self, match: re.Match[str], unit: str, roles: frozenset[str]) -> Value | None:
        value = self._numeric(_plain(match["value"]), unit, roles)
        if value is None or value.low is None or value.scale:
            return None
        sure = self._flag_behind.match(match["flag"])
        if not sure and match["flag"][0] not in "([":
            return None  # "2.5 L"
        return replace(value, interpretation=self._flags[match["flag"].strip("()[]")]) if sure else value

    def _numeric(self, plain: str, unit: str, roles: frozenset[str]) -> Value | None:
        return (
            self._pressure(plain, unit, roles)
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
        match = self._quantity.fullmatch(plain)
        if not match or DECADE.fullmatch(plain + unit) or (match["sign"] and (match["high"] or "signed" not in roles)):
            return None
        written, factor = _without_factor((match["unit2"] or match["unit"] or "").strip())
        if match["unit"] and match["unit2"] and match["unit"].strip() != match["unit2"]:
            return None
        code = self.units.code(written or unit) if written or unit else ""
        if not code and (written or any(map(str.isdigit, unit))):
            return None  # what is not understood may change the number
        comparator = self._comparators[match["comparator"]] if match["comparator"] else ""
        low = _number(match["low"]) * factor
        high = _number(match["high"]) * factor if match["high"] else low
        if max(low, high) > LARGEST_BARE and not (code or factor > 1 or "," in plain):
            return None
        if match["high"]:
            certain = comparator in ("", "~") and _is_range(match, low, high, bool(code), roles)
            return Value(low=low, high=high, comparator=comparator, unit=code) if certain else None
        number = -low if match["sign"] == "-" else low
        return Value(
            low=None if comparator[:1] == "<" else number,
            high=None if comparator[:1] == ">" else number,
            comparator=comparator,
            unit=code,
        )

    def _is_plain(self, match: re.Match[str], rest: str, test: str, behind_a_word: bool) -> bool:
        """Whether a range that no word introduces is a reference range."""
        if "no-reference" in self._roles(test[:LONGEST]):
            return False
        if match["open"]:
            return True
        column = re.search(r"\||\t|\s{2}", match["between"])
        return bool(column or behind_a_word) and bool(COLUMN_ENDS.match(rest))


def with_reference(value: Value, found: Reference) -> Value:
    """The value with the reference range beside it, and whether it lies outside.

    `abnormal` stays None where a bound of the value or the range leaves that open ("> 3" of 1-5), and where the flag
    beside it says something else; the flag is then left out as well.
    """
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


def _marks(flags: Iterable[str]) -> str:
    """An expression for any of the flags, in brackets or not."""
    return rf"[\[(]?(?:{any_word(flags)})(?!\w)[\])]?"


def _in_a_name(terms: Iterable[str]) -> re.Pattern[str]:
    """Finds one of the terms in a name; one of a single letter only where it is the name."""
    terms = list(terms)
    letters, words = [term for term in terms if len(term) == 1], [term for term in terms if len(term) > 1]
    return re.compile(rf"\A(?:{any_word(letters)})\Z|(?<!\w)(?:{any_word(words)})(?!\w)")


def _plain(text: str) -> str:
    return " ".join(text.translate(TYPED).lower().split()).rstrip(".,;")


def _squeezed(unit: str) -> str:
    unit = re.sub(r"(?:^|\s+)per\s+", "/", unit.strip().translate(TYPED).lower())
    return re.sub(r"\s+", "", unit).rstrip(".").replace("m^2", "m2").replace("m^3", "m3")


def _without_factor(unit: str) -> tuple[str, float]:
    """A unit without the thousand or million before it, and that."""
    head, _, rest = unit.partition(" ")
    return (rest, FACTORS[head]) if head in FACTORS else (unit, 1.0)


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _bounds(match: re.Match[str]) -> tuple[float | None, float | None]:
    if match["low"]:
        return _number(match["low"]), _number(match["high"])
    number = _number(match["number"])
    return (None, number) if match["bound"][0] in "<≤" else (number, None)
