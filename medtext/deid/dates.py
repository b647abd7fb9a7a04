"""Dates shifted by whole days, each in the form that it is written in.

Year, month, day and weekday of a date are found and rewritten where they stand; all round them stays. What is no calendar
date ("Labor Day", "summer 2025") cannot be shifted, and the caller is told.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from medtext.deid.people import seen
from medtext.times import style_of

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MIDDLE_DAY, MIDDLE_MONTH = 15, 7  # where a date has none
NO_YEAR = 2023  # where the note has none either: not a leap year, so that no day is written that there may not be
CENTURY = 40  # a year of two figures up to this is of this century

MONTH = (
    r"(?P<{0}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])\.?"
)
DAY = r"(?P<{0}>\d{{1,2}})(?P<{0}th>st|nd|rd|th)?(?!\d)"
YEAR = r"['’]?(?P<{0}>\d{{4}}|\d{{2}})(?![\d:])"
FORMS = re.compile(
    "|".join(
        (
            r"(?<!\d)(?P<y1>\d{4})(?P<s1>[-/.])(?P<m1>\d{1,2})(?:(?P=s1)(?P<d1>\d{1,2}))?(?!\d)",
            r"(?<!\d)(?P<a2>\d{1,2})(?P<s2>\s?[-/.]\s?|\s)(?P<b2>\d{1,2})(?P=s2)(?P<y2>\d{4}|\d{2})(?!\d)",
            r"(?<!\d)(?P<m3>\d{1,2})[-/](?P<y3>\d{4})(?!\d)",
            r"(?<!\d)(?P<a4>\d{1,2})/(?P<b4>\d{1,2})(?!\d)",
            r"(?<!\d)(?P<y5>(?:19|20)\d\d)(?P<m5>[01]\d)(?P<d5>[0-3]\d)(?!\d)",
            rf"(?<!\d){DAY.format('d6')}[-\s/]*(?:of\s|day\s)?{MONTH.format('n6')}(?:[-\s,/]*{YEAR.format('y6')})?",
            rf"(?<![a-z]){MONTH.format('n7')}[-\s/]*(?:the\s)?{DAY.format('d7')}(?:[-\s,/]+{YEAR.format('y7')})?",
            rf"(?<![a-z]){MONTH.format('n8')}(?:[-\s,/]*(?:of\s)?{YEAR.format('y8')})?",
            r"(?<!\d)(?P<y9>(?:17|18|19|20)\d\d)(?!\d)",
            r"(?<!\w)['’](?P<y0>\d\d)(?!\d)",
            r"(?<![a-z])(?P<w>(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tues?|weds?|thu(?:rs?)?|fri|sat|sun)(?![a-rt-z])",
        )
    ),
    re.IGNORECASE,
)
LINK = re.compile(r"(?:[\s,.&()–-]|s(?![a-z])|(?:the|of|on|and|to|or|through|thru|until)(?![a-z]))*", re.IGNORECASE)
"""What may stand between dates of one span, and after them ("Mondays", "1990s")."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """How a note writes dates, and by how many days they are shifted. `year` is that of dates without one."""

    days: int
    day_first: bool = False
    year: int = NO_YEAR

    @classmethod
    def of(cls, dates: Iterable[str], days: int) -> Calendar:
        """The calendar of a note with these dates, birth dates apart."""
        dates = [seen(date) for date in dates]
        years = [_year(match) for date in dates for match in FORMS.finditer(date) if match.lastgroup != "w"]
        known = [year for year in years if year]
        return cls(days, bool(style_of(dates).day_first), max(known, default=NO_YEAR))

    def is_over(self, years: int, text: str) -> bool:
        """Whether the date is more than so many years before the note's latest."""
        found = next((year for match in FORMS.finditer(seen(text)) if (year := _year(match))), self.year)
        return self.year - (found - 100 if found > self.year else found) > years

    def shifted(self, text: str) -> str | None:
        """The date of `days` later, as it is written; None for what is no calendar date."""
        text = seen(text)
        parts: list[str] = []
        end = 0
        for match in FORMS.finditer(text):
            new = self._rewritten(match)
            if new is None or not LINK.fullmatch(text, end, match.start()):
                return None
            parts += (text[end : match.start()], new)
            end = match.end()
        return "".join((*parts, text[end:])) if parts and LINK.fullmatch(text, end) else None

    def _rewritten(self, match: re.Match[str]) -> str | None:
        found = {name: value for name, value in match.groupdict().items() if value is not None}
        if "w" in found:
            return self._weekday(found["w"])
        named = {name[0]: name for name in found if not name.startswith("s") and not name.endswith("th")}
        if "a" in named:
            day_first = self.day_first or int(found[named["a"]]) > 12
            day_first &= int(found[named["b"]]) <= 12
            named["d"], named["m"] = (named["a"], named["b"]) if day_first else (named["b"], named["a"])
        date = self._date(found, named)
        if date is None:
            return None
        figures = [found[named[letter]] for letter in "md" if letter in named]
        padded = "y1" in found or "y5" in found or any(figure.startswith("0") for figure in figures)
        new = {named[letter]: _like(found[named[letter]], date, letter, padded) for letter in "ymdn" if letter in named}
        if "d" in named and f"{named['d']}th" in found:
            suffix = found[f"{named['d']}th"]
            new[f"{named['d']}th"] = _cased(suffix, _th(date.day))
        return _with(match, new)

    def _date(self, found: Mapping[str, str], named: Mapping[str, str]) -> datetime.date | None:
        year = _in_full(found[named["y"]]) if "y" in named else self.year
        month = int(found[named["m"]]) if "m" in named else MIDDLE_MONTH
        if "n" in named:
            month = _number(found[named["n"]], MONTHS)
        day = int(found[named["d"]]) if "d" in named else MIDDLE_DAY
        if "y" not in named and (month, day) == (2, 29):
            year -= year % 4
        try:
            return datetime.date(year, month, day) + datetime.timedelta(self.days)
        except (ValueError, OverflowError):
            return None

    def _weekday(self, word: str) -> str:
        new = WEEKDAYS[(_number(word, WEEKDAYS) - 1 + self.days) % 7]
        return _cased(word, new if word.lower().endswith("day") else new[:3])


def _number(word: str, names: tuple[str, ...]) -> int:
    """Which of the names begins so, from 1."""
    return next(number for number, name in enumerate(names, 1) if name.startswith(word.lower()[:3]))


def _year(match: re.Match[str]) -> int | None:
    found = [value for name, value in match.groupdict().items() if name.startswith("y") and value]
    return _in_full(found[0]) if found else None


def _in_full(year: str) -> int:
    number = int(year)
    return number if len(year) == 4 else number + (2000 if number <= CENTURY else 1900)


def _like(old: str, date: datetime.date, letter: str, padded: bool) -> str:
    """A part of the date as the old one is written."""
    if letter == "n":
        name = MONTHS[date.month - 1]
        return _cased(old, name if old.lower() in MONTHS else name[:3])
    if letter == "y":
        return f"{date.year:04d}"[-len(old) :]
    number = date.month if letter == "m" else date.day
    return f"{number:02d}" if padded else str(number)


def _th(day: int) -> str:
    return "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _cased(old: str, new: str) -> str:
    if old.isupper():
        return new.upper()
    return new.capitalize() if old[:1].isupper() else new


def _with(match: re.Match[str], new: Mapping[str, str]) -> str:
    """The match's text with these of its groups replaced."""
    text, start = match.group(), match.start()
    for name in sorted(new, key=match.start, reverse=True):
        begin, end = match.span(name)
        text = text[: begin - start] + new[name] + text[end - start :]
    return text
