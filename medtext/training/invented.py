"""Lines of invented PHI put into gold notes: people, places and numbers that no note of ours has, in every epoch others.

Annotated notes hold a few hundred names; hospitals hold millions. The lines are `phi_lines.txt`; names, towns and
professions come from the lexicons, the rest is put together here. (Clinical lines made likewise, of the mentions of gold
notes, were tried and gave nothing.)
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import spacy

from medtext.components.tokenizer import ClinicalTokenizer
from medtext.decoding import OUTSIDE
from medtext.schema import TYPES
from medtext.training.corpus import Example, example
from medtext.training.swaps import terms_by_kind

LINES = Path(__file__).with_name("phi_lines.txt")
SLOT = re.compile(r"\[([A-Z_]+)(?::([\w-]+))?(?:=([^\]]+))?\]")
BUILDING = re.compile(
    r"hospital|clinic|cent|health|medical|hosp\b|\bst\b", re.IGNORECASE
)  # no towns, though in the lexicon
NOTES = 0.4  # share of notes that get lines
MOST = 4  # lines of a note
FULL_NAMES = (
    "{f} {l}",
    "{f} {i}. {l}",
    "{f} {l}-{l}",
    "{f} {l}",
    "{f} {f} {l}",
    "{f} {l}, Jr.",
    '{f} "{n}" {l}',
    "{f} de {l}",
)
LAST_FIRST = ("{l}, {f}", "{l}, {f} {i}.", "{l}-{l}, {f}", "{l}, {f} {f}", "{l}, {f}, III", '{l}, {f} "{n}"', "{l},{f}")
MONTHS = [
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
HOLIDAYS = (
    *("Christmas", "Thanksgiving", "New Year's Eve", "Easter", "Good Friday", "Labor Day", "Memorial Day", "Halloween"),
    *(
        "Diwali",
        "Eid",
        "Ramadan",
        "Boxing Day",
        "Mother's Day",
        "July 4th",
        "Passover",
        "Ash Wednesday",
        "Lent",
        "Holi",
    ),
    *(
        "St. Patrick's Day",
        "Valentine's Day",
        "Juneteenth",
        "Lunar New Year",
        "Yom Kippur",
        "Bonfire Night",
        "Epiphany",
    ),
)
STREETS = (
    "St",
    "Street",
    "Ave",
    "Avenue",
    "Rd",
    "Rd.",
    "Lane",
    "Dr",
    "Blvd",
    "Court",
    "Way",
    "Terrace",
    "Close",
    "Hwy",
    "Pl.",
    "Walk",
)
STATES = (
    *("AL", "AZ", "CA", "CO", "FL", "GA", "IL", "IN", "KY", "LA", "MA", "MD", "ME", "MI", "MN", "MO", "MT", "NC", "ND"),
    *("NE", "NH", "NJ", "NM", "NV", "NY", "OH", "OK", "OR", "PA", "SC", "SD", "TN", "TX", "UT", "VA", "WA", "WI", "WV"),
    *("Mass.", "Ill.", "Calif.", "Fla.", "Minn.", "Ohio", "Texas", "Ont.", "NSW"),
)
FACILITIES = (
    *(
        "{p} General Hospital",
        "{p} Medical Center",
        "St. {f}'s Hospital",
        "{p} Community Hospital",
        "{l} Memorial Hospital",
    ),
    *(
        "{p} Regional",
        "{l} Clinic",
        "{p} Family Practice",
        "{p} Surgery",
        "{l} & {l} Cardiology",
        "Royal {p} Infirmary",
    ),
    *(
        "{l} Cancer Center",
        "{p} VA Medical Center",
        "{p} Urgent Care",
        "{l} Health Centre",
        "Mercy {p}",
        "{p} Heart Rhythm",
    ),
    *(
        "{l}-{l} Ctr",
        "{p} Pathology",
        "{p} Eye Associates",
        "{p} District Hospital",
        "Our Lady of {p}",
        "{l} Children's",
    ),
    *(
        "{p} Dialysis",
        "{p} Home Health",
        "{p} Rehabilitation Institute",
        "{l} Nursing Home, {p}",
        "{p} Hosp",
        "{p} Ortho",
    ),
)
SHORT_FACILITIES = (
    "{l} Clinic",
    "{p} General",
    "{p} ED",
    "St {f}'s",
    "{l} Center",
    "{p} Hosp",
    "{p} Surgical",
    "{l}-{l}",
)
WARDS = (
    "Ward {d}",
    "Ward {d}{c}",
    "{l} Ward",
    "{d}{c}-{dd}",
    "bed {d}{c}",
    "{d} North",
    "{d} West",
    "ICU bed {d}",
    "Unit {d}",
    "rm {dd}{d}",
    "Bay {d}",
    "Tower {d}, Room {dd}{d}",
)
EMPLOYERS = (
    "{l} & Sons",
    "{l} Logistics",
    "{p} Foods",
    "{l} Bakery",
    "{p} Steel",
    "{l}'s Diner",
    "{p} Transit",
    "{l} Farms",
    "{l} & {l} LLP",
    "{p} Public Library",
    "{p} Fire Dept",
    "{l} Roofing",
)
PHARMACIES = (
    "{l} Pharmacy",
    "{l} Drug",
    "{p} Pharmacy",
    "Walgreens on {l}",
    "CVS {p}",
    "Boots {p}",
    "Farmacia {l}",
    "{l} Chemist",
    "Rite Aid, {n4} {l} {s}",
)
SCHOOLS = (
    "{l} Elementary",
    "{p} High School",
    "{l} Middle School",
    "{p} Community College",
    "University of {p}",
    "{l} Academy",
    "St {f}'s Primary School",
)
CHURCHES = (
    "St. {f}'s Church",
    "{p} Baptist Church",
    "First Methodist of {p}",
    "Temple Beth {l}",
    "{p} Mosque",
    "Our Lady of {l}",
)
HOMES = (
    "{l} Manor",
    "{p} Care Home",
    "{l} House",
    "{p} Assisted Living",
    "{l}-{l} Home",
    "{p} Gardens",
    "Golden {l} SNF",
)
UNITS = ("Apt {d}", "Apt {d}{c}", "apt. {dd}", "Unit {d}", "#{dd}", "Flat {d}", "Suite {dd}{d}", "Lot {d}", "Box {dd}")
RANKS = ("Sgt.", "Cpl.", "Maj.", "Lt.", "Pvt.", "Capt.", "SSgt")


@dataclass(frozen=True)
class Words:
    """What slots are filled from."""

    first: list[str]
    last: list[str]
    places: list[str]
    professions: list[str]


class InventedLines:
    """Fills the lines of `phi_lines.txt` from the lexicons in the folder `rules`, and puts them into notes."""

    def __init__(self, rules: Path) -> None:
        lexicon = terms_by_kind(rules, ("names", "places", "professions"))
        self._words = Words(
            lexicon["FIRST_NAME"],
            lexicon["LAST_NAME"] + lexicon["RARE_NAME"][::20],
            [term for term in lexicon["PLACE"] if len(term) > 3 and not BUILDING.search(term)],
            [term for term in lexicon["PROFESSION"] if len(term.split()) <= 3],
        )
        self._tokenizer = ClinicalTokenizer(spacy.blank("en").vocab)
        lines = LINES.read_text(encoding="utf-8").splitlines()
        self._lines = [line for line in lines if line and not line.startswith("# ")]

    def __call__(self, note: Example, chance: random.Random) -> Example:
        """The note, or a copy with lines put in at its line breaks."""
        breaks = [place for place, word in enumerate(note.words) if "\n" in word and note.tags[place] == OUTSIDE]
        if note.soft is not None or not breaks or chance.random() > NOTES:
            return note
        chosen = sorted(chance.sample(breaks, min(len(breaks), chance.randint(1, MOST))))
        parts, last = [], 0
        for place in chosen:
            parts += [_part(note, last, place + 1), self.line(chance)]
            last = place + 1
        return _joined(note, [*parts, _part(note, last, len(note))])

    def line(self, chance: random.Random) -> Example:
        """A line with its spans."""
        text, found, last = "", [], 0
        template = chance.choice(self._lines)
        for slot in SLOT.finditer(template):
            text += template[last : slot.start()]
            kind, form, words = slot.groups()
            if kind not in TYPES:
                raise ValueError(f"{template!r}: there is no type {kind}")
            filled = words or FILLERS[kind](self._words, form or "", chance)
            found.append({"start": len(text), "end": len(text) + len(filled), "type": kind})
            text += filled
            last = slot.end()
        text += template[last:]
        case = chance.random()
        text = text.upper() if case < 0.1 else text.lower() if case < 0.15 else text
        line = example("", text + "\n", found, self._tokenizer)
        return replace(line, traits=np.full_like(line.traits, -1))  # nobody said whether it is denied or past


def _part(note: Example, begin: int, end: int) -> Example:
    return note.taken(range(begin, end))


def _joined(note: Example, parts: Sequence[Example]) -> Example:
    return replace(
        note,
        words=tuple(word for part in parts for word in part.words),
        spaces=tuple(space for part in parts for space in part.spaces),
        tags=np.concatenate([part.tags for part in parts]),
        traits=np.concatenate([part.traits for part in parts]),
    )


def _fill(form: str, words: Words, chance: random.Random) -> str:
    """A form with its letters in braces filled: names, places, digits."""
    fields: dict[str, Callable[[], Any]] = {
        "{f}": lambda: chance.choice(words.first).title(),
        "{n}": lambda: chance.choice(words.first).title()[:6],
        "{l}": lambda: chance.choice(words.last).title(),
        "{p}": lambda: chance.choice(words.places).title(),
        "{i}": lambda: chance.choice(string.ascii_uppercase),
        "{c}": lambda: chance.choice("ABCDEFGH"),
        "{dd}": lambda: str(chance.randint(10, 99)),
        "{d}": lambda: str(chance.randint(1, 12)),
        "{n4}": lambda: str(chance.randint(1, 9999)),
        "{s}": lambda: chance.choice(STREETS),
    }
    return re.sub(r"\{\w+\}", lambda found: fields[found[0]](), form)


def _name(words: Words, form: str, chance: random.Random) -> str:
    def fill(*forms: str) -> str:
        return _fill(chance.choice(forms), words, chance)

    if form.startswith("CAPS"):
        return _name(words, form.removeprefix("CAPS").removeprefix("-") or "full", chance).upper()
    if form.endswith("-lower"):
        return _name(words, form.removesuffix("-lower"), chance).lower()
    if form == "initials":
        return fill("{i}{i}", "{i}{i}{i}")
    forms: dict[str, tuple[str, ...]] = {
        "last-first": LAST_FIRST,
        "bare": ("{l} {f}", "{l} {f} {f}"),
        "first": ("{f}",),
        "last": ("{l}", "{l}", "{l}-{l}", "Mc{l}", "O'{l}", "van {l}", "El {l}"),
        "title-last": ("{l}",),
        "initial-last": ("{i}. {l}", "{i} {l}", "{i}. {i}. {l}"),
        "first-initial": ("{f} {i}.", "{f} {i}"),
        "dotted": ("{i}.{i}.", "{i}. {i}.", "{i}.{i}.{i}."),
    }
    return fill(*forms.get(form, FULL_NAMES))


def _address(words: Words, form: str, chance: random.Random) -> str:
    def fill(forms: Sequence[str]) -> str:
        return _fill(chance.choice(forms), words, chance)

    street = fill(
        ("{n4} {l} {s}", "{n4} {l} {s}", "{n4} {l}", "{n4} N {l} {s}", "{n4} {l} {s}, Apt {d}", "{dd} {f} {s}")
    )
    place = fill(("{p}", "{p}", "{p}, " + chance.choice(STATES)))
    forms: dict[str, Callable[[], str]] = {
        "facility": lambda: fill(FACILITIES),
        "facility-caps": lambda: fill(FACILITIES).upper(),
        "short-facility": lambda: fill(SHORT_FACILITIES),
        "ward": lambda: fill(WARDS),
        "employer": lambda: fill(EMPLOYERS),
        "pharmacy": lambda: fill(PHARMACIES),
        "school": lambda: fill(SCHOOLS),
        "church": lambda: fill(CHURCHES),
        "ward-oncology": lambda: fill(WARDS) + chance.choice((" Oncology", " Tele", " Surg", " Peds", " Stepdown")),
        "room-op": lambda: fill(("op {d}", "room {d}", "Rm {d}{c}", "bay {d}", "Suite {d}")),
        "state": lambda: chance.choice(STATES),
        "zip": lambda: str(chance.randint(10000, 99999)),
        "postcode": lambda: fill(("{c}{dd} {d}{c}{c}", "{c}{c}{d} {d}{c}{c}", "{c}{dd} {c}{c}{dd}")),
        "place-bare": lambda: fill(("{p}",)),
        "home": lambda: fill(HOMES),
        "unit": lambda: fill(UNITS),
        "room": lambda: fill(("{dd}{d}", "{d}{c}")),
        "street": lambda: street,
        "place": lambda: place,
        "whole": lambda: (
            f"{street}, {_fill('{p}', words, chance)}"
            + chance.choice(
                (f", {chance.choice(STATES)}", f" {chance.choice(STATES)} {chance.randint(10000, 99999)}", "")
            )
        ),
    }
    return forms[form]()


def _date(words: Words, form: str, chance: random.Random) -> str:  # noqa: ARG001
    year, month, day = chance.randint(1928, 2026), chance.randint(1, 12), chance.randint(1, 28)
    name, mark = MONTHS[month - 1], chance.choice("/-.")
    two = f"{year % 100:02}"
    weekday = chance.choice(WEEKDAYS)
    forms: dict[str, Sequence[str]] = {
        "short": (f"{month}/{day}", f"{month}/{day}/{two}", f"{day} {name[:3]}", f"{name[:3]} {day}", f"{month}-{day}"),
        "year": (str(year),),
        "month": (name, name[:3]),
        "month-year": (
            f"{name} {year}",
            f"{name[:3]} {year}",
            f"{month}/{year}",
            f"{name[:3]} '{two}",
            f"{name[:3]}-{two}",
        ),
        "month-slash": (f"{month:02}/{year}", f"{month:02}/{two}"),
        "apostrophe": (f"'{two}",),
        "stamp": (f"{year}{month:02}{day:02}", f"{year}{month:02}{day:02}0830", f"{year}{month:02}{day:02}083000"),
        "weekday": (weekday, weekday[:3]),
        "weekday-short": (weekday[:3],),
        "weekdays": (
            "M-W-F",
            "MWF",
            "TTS",
            "T/Th/S",
            "M/W/F",
            "Mon/Wed/Fri",
            "Tue/Thu/Sat",
            "Tuesdays",
        ),
        "day": (weekday, weekday[:3], f"{weekday[:3]} {month}/{day}", f"{month}/{day}", f"{weekday}, {name} {day}"),
        "holiday": HOLIDAYS,
        "long": (f"{weekday}, {name} {day}, {year}", f"{name} {day}, {year}", f"{day} {name} {year}"),
        "words": (f"{name} {day} {year}", f"{month} {day} {two}", f"{name.lower()} {day}", f"the {day}th of {name}"),
    }
    usual = (
        *(
            f"{month:02}/{day:02}/{year}",
            f"{month}/{day}/{two}",
            f"{year}-{month:02}-{day:02}",
            f"{day:02}{mark}{month:02}{mark}{year}",
        ),
        *(
            f"{day}-{name[:3]}-{year}",
            f"{name} {day}, {year}",
            f"{day} {name} {year}",
            f"{month}{mark}{day}{mark}{two}",
        ),
        *(
            f"{day:02}{name[:3].upper()}{year}",
            f"{day} {name[:3]} '{two}",
            f"{name[:3]}. {day}, {year}",
            f"{year}{month:02}{day:02}",
        ),
    )
    return chance.choice(forms.get(form, usual))


def _id(words: Words, form: str, chance: random.Random) -> str:
    def digits(pattern: str) -> str:
        made = "".join(chance.choice(string.digits) if letter == "0" else letter for letter in pattern)
        return "".join(chance.choice(string.ascii_uppercase) if letter == "X" else letter for letter in made)

    forms: dict[str, Sequence[str]] = {
        "ssn": ("000-00-0000", "000 00 0000", "000000000"),
        "nhs": ("000 000 0000", "0000000000", "000-000-0000"),
        "mbi": ("0XX0-XX0-XX00", "0X00X00XX00"),
        "short": ("0000", "00000"),
        "ip": ("10.0.00.000", "000.00.0.0"),
        "vin": ("0XXXX00X0XX000000",),
        "six": ("000000", "00000"),
        "tube": ("00X", "X0000", "0X00-XX", "00X000"),
        "rx": ("0X0X00", "0X0000", "0XX0XX", "X000000"),
        "file": ("IMG_0000.jpg", "scan_0000.pdf", "DSC00000", "XX-0000.dcm"),
        "pan": ("XXXXX0000X",),
        "aadhaar": ("0000 0000 0000", "xxxx xxxx 0000"),
        "plate": ("XXX 0000", "XX00 XXX", "0XXX000"),
        "spaced": ("0 0 0 0 0 0", "X X 0 0 0 0 0", "00 000 00"),
    }
    if form == "login":
        return (chance.choice(words.first)[:1] + chance.choice(words.last)[:6] + digits("00")).lower()
    usual = (
        "0000000",
        "00000000",
        "000-00-000",
        "XX000000",
        "X0000000",
        "00-0000000",
        "XX-0000-00",
        "000000",
        "XXX00000000",
        "0000-0000",
        "00-00-00",
        "X00-000X",
        "0000 0000",
        "0000XX",
    )
    return digits(chance.choice(forms.get(form, usual)))


def _phone(words: Words, form: str, chance: random.Random) -> str:  # noqa: ARG001
    patterns = (
        ("0000", "00000", "000")
        if form == "extension"
        else (
            "(000) 555-0000",
            "000-555-0000",
            "000.555.0000",
            "555-0000",
            "1-800-555-0000",
            "+1 000 555 0000",
            "01000 555000",
            "07700 900000",
            "+44 20 7946 0000",
            "+91 90000 00000",
            "x0000",
            "000 5550000",
        )
    )
    return "".join(chance.choice(string.digits) if letter == "0" else letter for letter in chance.choice(patterns))


def _email(words: Words, form: str, chance: random.Random) -> str:  # noqa: ARG001
    made = _fill(chance.choice(("{f}.{l}@{p}", "{i}{l}@{p}", "{l}{dd}@{p}")), words, chance).replace(" ", "").lower()
    return made + chance.choice((".example", ".org", ".com", ".nhs.uk", ".edu"))


def _url(words: Words, form: str, chance: random.Random) -> str:  # noqa: ARG001
    made = _fill(chance.choice(("{p}health", "my{p}", "{l}clinic")), words, chance).replace(" ", "").lower()
    return chance.choice(("https://", "www.", "")) + made + chance.choice((".example", ".org/portal", ".com/rx"))


def _profession(words: Words, form: str, chance: random.Random) -> str:
    return chance.choice(RANKS) if form == "rank" else chance.choice(words.professions)


def _age(words: Words, form: str, chance: random.Random) -> str:  # noqa: ARG001
    return str(chance.randint(1, 17 if form == "child" else 101))


def _gender(words: Words, form: str, chance: random.Random) -> str:  # noqa: ARG001
    return chance.choice(("M", "F", "male", "female", "m", "f"))


FILLERS: dict[str, Callable[[Words, str, random.Random], str]] = {
    "NAME": _name,
    "ADDRESS": _address,
    "DATE": _date,
    "ID": _id,
    "PHONE_OR_FAX": _phone,
    "EMAIL": _email,
    "URL": _url,
    "PROFESSION": _profession,
    "AGE": _age,
    "GENDER": _gender,
}
