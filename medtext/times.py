"""What a duration or a date says, as ISO 8601: only where the whole text is understood and can mean nothing else.

A duration is a counted one: "3 weeks ago" is P3W, as is "for three weeks"; what is vague ("a few days"), bounded or rounded
("at least", "about"), a range, an ordinal ("POD 2") or counted from the day of writing ("yesterday") has no value. A date has
a value from the year down; one without a year has none. The words are in `rules/times.tsv`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from medtext.rulebook import any_of

ROLES = (
    "number",
    "unit",
    "course",
    "history",
    "vague",
    "before",
    "between",
    "after",
    "opener",
    "lasting",
    "month",
    "weekday",
)
REMEMBERED = 1 << 12  # texts whose durations are kept
LONGEST = 80  # a duration, in characters
UNITS = re.compile(r"(\d*)(S|MIN|H|D|W|M|Y)")
ORDER = ("Y", "M", "D", "H", "MIN", "S")  # in which ISO 8601 writes them; weeks stand alone
YEARS = (1850, 2150)  # what can be the year of a date in a note

FIGURE = r"\d{1,3}(?:\.\d+)?|\d{1,3}\s?½|\d{1,2}[\s-]1\s?/\s?2"
WHOLE = re.compile(r"(?<![\w./-])(\d{1,2})\s$")  # the "2" of "2 1/2 weeks"
SINCE_AGE = re.compile(r"since\b.{0,40}\b(?:age|old|life|gestation)\b")  # no duration: "since 3 months of age"
HALF = r"[\s-](?:and[\s-])?(?:a[\s-])?half"
DAY_MONTH = re.compile(r"(?<![\d/.-])(\d{1,2})/(\d{1,2})(?![\d/.-])")
TRIPLE = re.compile(r"(?<![\d/.-])(\d{1,2})(?P<by>[/.-])(\d{1,2})(?P=by)(?:\d{4}|\d{2})(?!\d)")
YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})")
ISO = re.compile(r"(\d{4})([/.-])(\d{1,2})(?:\2(\d{1,2}))?")
MONTH_YEAR = re.compile(r"(\d{1,2})[/-](\d{4})")


@dataclass(frozen=True, slots=True)
class TimeWord:
    """A word in times or dates; see the head of `rules/times.tsv`."""

    id: str
    role: str
    term: str
    means: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"{self.role!r} is no role; there are {', '.join(ROLES)}")
        if self.role in ("number", "month", "weekday") and not self.means.isdigit():
            raise ValueError(f"{self.id!r} does not mean a number")
        if self.role in ("unit", "course") and not UNITS.fullmatch(self.means):
            raise ValueError(f"{self.id!r} does not mean a unit")


@dataclass(frozen=True, slots=True)
class DateStyle:
    """How a note writes its dates.

    Args:
        day_first: whether 3/4/2019 is the third of April; None where the note's other dates say both.
        years: the years that it writes in full, which tell the century of '19.
    """

    day_first: bool | None = False
    years: frozenset[int] = frozenset()


US = DateStyle()
"""Month first, as in the United States: the style of a note that says nothing else."""


class TimeReader:
    """Reads durations and dates. Durations of the last few thousand short texts stay in memory, dates do not."""

    def __init__(self, words: Iterable[TimeWord]) -> None:
        terms: dict[str, dict[str, str]] = {role: {} for role in ROLES}
        for word in words:
            terms[word.role][word.term.lower()] = word.means
        self._numbers = {term: float(means) for term, means in terms["number"].items()}
        self._units = {term: _unit(means) for term, means in terms["unit"].items()}
        self._months = {term: int(means) for term, means in terms["month"].items()}
        self._weekdays = {term: int(means) for term, means in terms["weekday"].items()}
        self._courses = {term: _unit(means) for term, means in terms["course"].items()}
        self._between = any_of(terms["between"])
        before, after, opener = (any_of(terms[role]) for role in ("before", "after", "opener"))
        first, second = (self._counted(place) for place in (1, 2))
        half = rf"(?P<only_half>(?:a\s)?half|½|1\s?/\s?2)[\s-](?:an?\s)?(?P<unit3>{any_of(self._units)})"
        self._duration = re.compile(
            rf"(?:(?:{before})\s?)?(?:{half}|{first}(?P<half_more>\sand\sa\shalf)?(?:,?\s(?:and\s)?{second})?)"
            rf"(?:[\s-](?:{after})|[\s-](?:{opener})\s\D+)*"
        )
        self._history = re.compile(rf"\s?(?:{any_of(terms['history'])})(?!\w)")
        lasting = any_of(terms["lasting"])
        self._course = re.compile(
            rf"(?P<for>(?:{lasting})\s?)?(?P<count>\d{{1,2}})(?P<unit>{any_of(self._courses)})(?P<ago>\s(?:{lasting}))?"
        )
        number = rf"(?:\d|\b(?:{any_of(self._numbers)})\b)"
        self._before = re.compile(rf"(?:(?<![\w<>=-])(?:{any_of(terms['vague'])})|{number}\s?(?:to|or|-|–))\s?$")
        self._behind = re.compile(rf"\s?(?:to|or|-|–)\s?{number}|,?\sand\s{number}[\s-]?(?:month|day|minute)")
        month, weekday = any_of(self._months), any_of(self._weekdays)
        self._weekday = re.compile(rf"(?P<weekday>{weekday})\.?,?\s(?:the\s)?")
        day = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
        self._written = (
            re.compile(rf"(?P<month>{month})\.?[\s-]?\s?{day}(?:,\s?|\s|-)(?P<year>\d{{4}})"),
            re.compile(rf"{day}[\s-]?(?:of\s)?(?P<month>{month})\.?(?:,\s?|[\s-]|\sof\s)?(?P<year>\d{{4}})"),
            re.compile(rf"(?P<month>{month})\.?(?:,\s?|[\s/-]|\sof\s)(?P<year>\d{{4}})"),
        )
        self._read = lru_cache(REMEMBERED)(self._reading)

    def duration(self, text: str, before: str = "", after: str = "", course: bool = False) -> str:
        """The ISO 8601 duration of a text ("for two days", "3-week", "x3d"), or "" where that is not certain.

        Args:
            text: the duration as it is written.
            before, after: what stands beside it, which can make it vague ("about") or one end of a range ("2 to"), or say that
                "3/7" is three days ("history of").
            course: whether it is the length of a prescription, where "3/7" is three days.
        """
        if text.startswith("1/2") and (whole := WHOLE.search(before)):
            text, before = f"{whole[1]} {text}", before[: whole.start()]
        if len(text) > LONGEST or self._before.search(before.lower()) or self._behind.match(after.lower()):
            return ""
        if SINCE_AGE.match(f"{text}{after}".lower()):
            return ""
        return self._read(text, course or bool(self._history.match(after.lower())))

    def _reading(self, text: str, course: bool) -> str:
        plain = _plain(text)
        if (match := self._course.fullmatch(plain)) and (course or match["for"] or match["ago"]):
            return _iso([(float(match["count"]), *self._courses[match["unit"]])])
        match = self._duration.fullmatch(plain)
        if not match:
            return ""
        if match["only_half"]:
            return _iso([(0.5, *self._units[match["unit3"]])])
        counts = [(match[f"count{place}"], match[f"half{place}"], match[f"unit{place}"]) for place in (1, 2)]
        parts: list[tuple[float, float, str]] = []
        for count, half, unit in counts:
            if unit:
                number = self._count(count, bool(half or (match["half_more"] and not parts)))
                if number is None:
                    return ""
                parts.append((number, *self._units[unit]))
        return _iso(parts)

    def _counted(self, place: int) -> str:
        """An expression for a number and a unit, in groups named for `place`."""
        number = rf"(?:{any_of(self._numbers)})(?![a-z])"
        return (
            rf"(?P<count{place}>{FIGURE}|{number}(?:[\s-]{number})?)(?P<half{place}>{HALF})?"
            rf"(?:\s(?:{self._between})(?![a-z]))?[\s-]{{0,2}}(?P<unit{place}>{any_of(self._units)})(?!\w)\.?(?:'s|s'|')?"
        )

    def _count(self, text: str, half: bool) -> float | None:
        """A number in figures or words; None for words that make none ("two three")."""
        extra = 0.5 if half else 0.0
        if not text[0].isalpha():
            whole = re.sub(r"\s?½|(?:^|[\s-])1\s?/\s?2$", "", text)
            return float(whole or 0) + (0.5 if whole != text else 0.0) + extra
        first, *rest = (self._numbers[word] for word in re.split(r"[\s-]", text))
        return None if rest and not (first >= 20 and rest[0] < 10) else first + sum(rest) + extra

    def date(self, text: str, style: DateStyle = US) -> str:
        """The ISO 8601 date of a text, as far down as it goes, or "" where that is not certain.

        Month first unless `style` says otherwise or the numbers leave no choice; a year of two figures counts only where
        the note writes it in full elsewhere.
        """
        plain = _plain(text).removeprefix("the ")
        weekday = self._weekday.match(plain)
        if weekday:
            plain = plain[weekday.end() :]
        found = self._numeric_dates(plain, style) or self._written_date(plain)
        if weekday:
            stated = self._weekdays[weekday["weekday"]]
            found = [parts for parts in found if len(parts) == 3 and datetime.date(*parts).weekday() == stated]
        elif len(found) > 1:
            doubtful = style.day_first is None or ("." in plain and not style.day_first)
            found = [] if doubtful else [found[bool(style.day_first)]]
        return "-".join(f"{part:02d}" for part in found[0]) if len(found) == 1 else ""

    def _numeric_dates(self, plain: str, style: DateStyle) -> list[tuple[int, ...]]:
        """What a date in figures can mean: nothing, one date, or month first and day first."""
        if re.fullmatch(r"\d{4}", plain):
            return _valid(int(plain))
        if match := ISO.fullmatch(plain):
            return _valid(*(int(part) for part in match.group(1, 3, 4) if part))
        if match := MONTH_YEAR.fullmatch(plain):
            return _valid(int(match[2]), int(match[1]))
        if match := NUMERIC.fullmatch(plain):
            year = int(match[4]) if len(match[4]) == 4 else _in_full(int(match[4]), style.years)
            first, second = int(match[1]), int(match[3])
            return [*_valid(year, first, second), *(_valid(year, second, first) if first != second else [])]
        return []

    def _written_date(self, plain: str) -> list[tuple[int, ...]]:
        for form in self._written:
            if match := form.fullmatch(plain):
                parts = match.groupdict()
                day = (int(parts["day"]),) if parts.get("day") else ()
                return _valid(int(parts["year"]), self._months[parts["month"]], *day)
        return []


def style_of(dates: Iterable[str]) -> DateStyle:
    """The style of a note with these dates: day first only where one can be read no other way and none contradicts it."""
    day_first = month_first = False
    years: set[int] = set()
    for text in dates:
        years.update(int(year) for year in YEAR.findall(text))
        if match := TRIPLE.search(text) or DAY_MONTH.search(text):
            first, second = (int(match[group]) for group in (1, match.re.groups))
            day_first |= 12 < first <= 31 and second <= 12
            month_first |= 12 < second <= 31 and first <= 12 and match.re is TRIPLE  # "10/24" may be October 2024
    return DateStyle(None if day_first and month_first else day_first, frozenset(years))


def _unit(means: str) -> tuple[float, str]:
    match = UNITS.fullmatch(means)
    return (float(match[1] or 1), match[2]) if match else (0.0, "")


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").replace("–", "-").split()).rstrip(".,;")


def _iso(parts: Iterable[tuple[float, float, str]]) -> str:
    """Numbers of units as one duration: weeks alone, or the units from large to small."""
    amounts: dict[str, float] = {}
    for count, factor, unit in parts:
        if unit in amounts:
            return ""
        amounts[unit] = count * factor
    if not all(amounts.values()):
        return ""
    if len(amounts) == 1 and "W" in amounts:
        return f"P{amounts['W']:g}W"
    if "W" in amounts:
        amounts["D"] = amounts.get("D", 0.0) + 7 * amounts.pop("W")
    written = [(unit, f"{amounts[unit]:g}{unit[0]}") for unit in ORDER if unit in amounts]
    days = "".join(part for unit, part in written if unit in ORDER[:3])
    time = "".join(part for unit, part in written if unit in ORDER[3:])
    return f"P{days}T{time}" if time else f"P{days}"


def _valid(*parts: int) -> list[tuple[int, ...]]:
    """Year, month and day as far as given; nothing where the calendar has no such date."""
    year, month, day = (*parts, 1, 1)[:3]
    try:
        datetime.date(year, month, day)
    except ValueError:
        return []
    return [parts] if YEARS[0] <= year <= YEARS[1] else []


def _in_full(year: int, years: frozenset[int]) -> int:
    """A year of two figures in four; 0 where no year of the note, or more than one, ends so."""
    ending = [known for known in years if known % 100 == year]
    return ending[0] if len(ending) == 1 else 0
