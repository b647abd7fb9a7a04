"""Something that could stand in an identifier's place, of the same form: digits for digits, a woman's name for a woman's.

The same within a scope (a patient or a document) for the same key. What cannot be replaced so is None, and gets masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from medtext.deid.dates import Calendar
from medtext.deid.fakes import HOME, Fakes, family_locale, is_given, states
from medtext.deid.keyed import Keyed
from medtext.deid.people import POSSESSIVE, WORD, Name, Person, name_words, plain, seen
from medtext.policy import Policy
from medtext.schema import Entity

WEEKS = 52  # that dates are shifted at most
OLD = "90+"
OLDEST = 89  # HIPAA: "all ages over 89 … may be aggregated into a single category of age 90 or older"

ZIP = re.compile(r"(?<![\w-])(\d{5})(?:[-\s]\d{4})?(?![\w-])")
UNKNOWN_CODE = re.compile(
    r"(?<!\w)(?:[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|[A-Z]\d[A-Z]\s?\d[A-Z]\d|[A-Z]\d[\dW]\s?(?=\w{0,3}[A-Z])[A-Z\d]{4})(?!\w)"
)  # British, Canadian, Irish
PLACE_WORD = re.compile(rf"(?<![^\W_]){WORD.pattern}")  # the "th" of "8th" is none
PIECE = re.compile(r"[^,\n]+")
STREET = re.compile(
    r"\b(?:st|street|ave?|avenue|rd|road|dr|drive|ln|lane|blvd|boulevard|ct|court|pl|place|plaza|way|pkwy|parkway|hwy|highway|"
    r"cir|circle|ter|terrace|trl|trail|sq|square|rt|rte|route|box|apt|unit|suite|ste|close|cres|crescent|grove|gdns|gardens|mews|"
    r"row|loop|alley|pike|turnpike)\b",
    re.IGNORECASE,
)
HIDDEN = re.compile(r"(?<![^\W_])[xX]{2,}(?![^\W\d_])")  # "xxx-xx-4471": whoever wrote it left these out
SSN = re.compile(r"\d{3}-\d\d-\d{4}")
SSN_LIKE = re.compile(r"\D*(?:\d\D{0,3}){9}")
US_PHONE = re.compile(r"\D*1?\D*(?P<area>[2-9])\d\d\D*(?P<office>\d)\d\d\D*\d{4}(?!\d)")
URL_PARTS = re.compile(
    r"(?P<scheme>[a-z][a-z+]*://)?(?P<www>www\.)?[^/?#\s]+(?P<path>[/?#].*)?", re.IGNORECASE | re.DOTALL
)
AGE_UNITS = re.compile(r"(?:mo|m/o|week|wk|day|hour|hr)", re.IGNORECASE)
TENS = {"eighties": 80, "nineties": 90, "hundred": 100, "eighty": 80, "ninety": 90}


@dataclass(frozen=True)
class Surrogates:
    """Replacements for the identifiers of one note.

    Args:
        keyed: key and scope.
        policy: what counts; where a state does not, it stays in an address that does.
        calendar: how dates are shifted.
        small_zips: the first three digits of ZIP codes that become 000.
        never: words that are no names.
        generic: words that tell what an institution is and not which.
    """

    keyed: Keyed
    policy: Policy
    calendar: Calendar
    small_zips: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    generic: frozenset[str] = frozenset()

    def of(self, entity: Entity, text: str) -> str | None:
        """What stands in the place of anything but a name; None for nothing that would do."""
        make: Mapping[str, Callable[[str, str], str | None]] = {
            "AGE": _age,
            "DATE": lambda one, _subtype: self.calendar.shifted(one),
            "ADDRESS": self._address,
            "PHONE_OR_FAX": lambda one, _subtype: self._phone(one),
            "EMAIL": lambda one, _subtype: f"{self.fakes.user(one)}@example.org",
            "URL": lambda one, _subtype: self._url(one),
            "ID": self._id,
            "PROFESSION": lambda one, _subtype: like(one, self.fakes.profession(one)),
        }
        if entity.subtype == "BIRTH_DATE" and self.calendar.is_over(OLDEST, text):
            return None  # its year would tell an age over 89
        return make[entity.type](seen(text), entity.subtype)

    @property
    def fakes(self) -> Fakes:
        return Fakes(self.keyed, self.never)

    def name(self, text: str, name: Name, person: Person) -> str:
        """The name as it is written, each word replaced: given for given, family for family, initial for initial."""
        text = seen(text)
        if name.initials and person.given and person.family and name.alone not in (*person.family, *person.given[:1]):
            letters = iter(self._initials(name.initials, person))
            return "".join(next(letters).upper() if letter.isalpha() else letter for letter in text)
        possessive = POSSESSIVE.search(text)
        end = possessive.start() if possessive else len(text)
        parts: list[str] = []
        start = 0
        for word in name_words(text[:end]):
            parts += (text[start : word.start()], self._word(word.group(), name, person))
            start = word.end()
        return "".join((*parts, text[start:]))

    def _initials(self, letters: str, person: Person) -> list[str]:
        new = [self.fakes.letter(letter) for letter in letters]
        new[0] = plain(self._given(person.given[0], person))[0]
        family = next((word for word in person.family if word[0] == letters[-1]), person.family[0])
        new[-1] = plain(self.fakes.family(family))[0]
        return new

    def _word(self, word: str, name: Name, person: Person) -> str:
        small = plain(word)
        if len(small) == 1:
            return like(word, self._initial(small, name, person))
        return like(word, self._given(small, person) if _is_given(small, name, person) else self.fakes.family(small))

    def _initial(self, letter: str, name: Name, person: Person) -> str:
        """The first letter of the person's new name, where it is their name's; any letter where it is a middle one."""
        if person.given and name.given[:1] == (letter,) and person.given[0][0] == letter:
            return plain(self._given(person.given[0], person))[0]
        return self.fakes.letter(letter)

    def _given(self, word: str, person: Person) -> str:
        if len(word) == 1:
            return self.fakes.letter(word)
        return self.fakes.given(word, person.sex, family_locale(person.family[0]) if person.family else HOME)

    def _address(self, text: str, subtype: str) -> str | None:
        if subtype == "COUNTRY":
            return like(text, self.fakes.country(text))
        if subtype in ("FACILITY", "WARD", "ORGANIZATION") and (first := PIECE.match(text)):
            rest = PIECE.sub(lambda match: self._piece(match.group()), text[first.end() :])
            return self._institution(first.group()) + rest
        return PIECE.sub(lambda match: self._piece(match.group()), text)

    def _piece(self, piece: str) -> str:
        """A part of an address between commas: its ZIP code cut, its state kept or not, its street or city replaced."""
        body = piece.strip()
        start = piece[: len(piece) - len(piece.lstrip())]
        end = piece[len(piece.rstrip()) :]
        code = ZIP.search(body)
        if code and not body[code.end() :].strip():
            before = body[: code.start()].rstrip()
            head = self._piece(before) if before else ""
            return f"{start}{head}{body[len(before) : code.start()]}{self._zip(code[1])}{end}"
        body = UNKNOWN_CODE.sub(lambda match: self._shape(match.group()), body)
        words = body.split()
        for size in (1, 2):  # "Columbus OH", "Bismarck North Dakota"
            state = " ".join(words[-size:])
            if state.replace(".", "").lower() in states() and (len(words) == size or state.isupper() or len(state) > 2):
                head = self._place(" ".join(words[:-size])) + " " if words[:-size] else ""
                return f"{start}{head}{self._state(state)}{end}"
        return f"{start}{self._place(body)}{end}"

    def _place(self, body: str) -> str:
        if STREET.search(body):
            return self._street(body)
        if any(word.group().lower() in self.generic for word in WORD.finditer(body)):
            return self._institution(body)
        if any(map(str.isdigit, body)):
            return self._street(body)
        return like(body, self.fakes.city(body))

    def _street(self, body: str) -> str:
        """Numbers of the same length, and another name between them and what says that it is a street."""
        words = [word for word in PLACE_WORD.findall(body) if len(word) > 2]
        if any(map(str.isdigit, body)) or not all(map(STREET.fullmatch, words)):
            words = [word for word in words if not STREET.fullmatch(word)]  # of "Court Row" no word stays
        new = dict(zip(words, (like(word, self.fakes.street(word).split()[0]) for word in words), strict=True))
        return PLACE_WORD.sub(lambda match: new.get(match.group(), match.group()), self._digits(body))

    def _institution(self, text: str) -> str:
        """The words that say which institution it is replaced by family names; those that say what it is stay."""
        code = ZIP.search(text)
        if code and not text[code.end() :].strip():
            return self._institution(text[: code.start()]) + self._zip(code[1]) + text[code.end() :]
        words = list(PLACE_WORD.finditer(text))
        named = [word for word in words if not self._is_generic(word.group())]
        if len(named) > 1 and named[-1] is words[-1] and STREET.fullmatch(named[-1].group()):
            named.pop()  # "CVS on Wolcott Ave"
        places = {word.start() for word in named}

        def word(match: re.Match[str]) -> str:
            if match.start() not in places:
                return match.group()
            return like(match.group(), self.fakes.family(plain(match.group())))

        return PLACE_WORD.sub(word, self._digits(text))

    def _is_generic(self, word: str) -> bool:
        small = plain(word)
        return word.lower() in self.generic or small in self.generic or len(small) < 2

    def _zip(self, code: str) -> str:
        return "000" if code[:3] in self.small_zips else code[:3]

    def _state(self, text: str) -> str:
        if not self.policy.includes("ADDRESS", "STATE"):
            return text
        return like(text, self.fakes.state(text, short=len(text.replace(".", "")) == 2))

    def _phone(self, text: str) -> str:
        """Another number; a North American one gets 555-01xx, which no one has."""
        new = self._digits(text)
        match = US_PHONE.match(text)
        if not match:
            return new
        area, office = match.start("area"), match.start("office")
        places = [place for place in range(office, match.end()) if text[place].isdigit()][:5]
        fixed = {area: "2345678"[int(new[area]) % 7], **dict(zip(places, "55501", strict=True))}
        changed = (fixed.get(place, char) for place, char in enumerate(new))
        return text[:area] + "".join(changed)[area:]

    def _url(self, text: str) -> str:
        parts = URL_PARTS.fullmatch(text)
        scheme, www, path = parts.group("scheme", "www", "path") if parts else ("", "", "")
        behind = f"/{self.keyed.digest('url', text, size=4).hex()}" if path and path != "/" else path or ""
        return f"{scheme or ''}{www or ''}example.org{behind}"

    def _id(self, text: str, subtype: str) -> str:
        if subtype == "IP" and "." in text:
            return f"192.0.2.{self.keyed.number('ip', text, below=254) + 1}"  # RFC 5737: for documentation
        new = self._shape(text)
        if SSN.fullmatch(text) or (subtype == "SSN" and SSN_LIKE.fullmatch(text)):
            places = [place for place, char in enumerate(new) if char.isdigit()]
            fixed = {
                places[0]: "9",
                places[3]: "0",
                places[4]: "0",
            }  # none begins with 9, and none has 00 in the middle
            return "".join(fixed.get(place, char) for place, char in enumerate(new))
        return new

    def _digits(self, text: str) -> str:
        return self._characters(text, str.isdigit)

    def _shape(self, text: str) -> str:
        return self._characters(text, str.isalnum)

    def _characters(self, text: str, chosen: Callable[[str], bool]) -> str:
        """The text with other digits for its digits and other letters for its letters."""
        salt = "".join(filter(str.isalnum, text)).lower()

        def other(place: int, char: str) -> str:
            if not chosen(char) or place in hidden:
                return char
            kinds = "0123456789" if char.isdigit() else "abcdefghjkmnpqrstuvwxyz"
            options = kinds.replace(char.lower(), "") if place == first else kinds
            return like(char, self.keyed.choice(options, "character", salt, str(place)))

        hidden = {place for run in HIDDEN.finditer(text) for place in range(*run.span())}
        first = next((place for place, char in enumerate(text) if chosen(char) and place not in hidden), -1)
        return "".join(other(place, char) for place, char in enumerate(text))


def shift(keyed: Keyed) -> int:
    """By how many days dates are shifted: into the past, so that none is in the future, and to another weekday."""
    weeks, days = divmod(keyed.number("days", below=6 * WEEKS), 6)
    return -(7 * weeks + days + 1)


def _is_given(word: str, name: Name, person: Person) -> bool:
    if word in name.given or word in name.family:
        return word in name.given and word not in person.family
    if word in person.given or word in person.family:
        return word in person.given
    return person.role == "RELATIVE" or is_given(word)  # "his wife Sunniva"


def _age(text: str, _subtype: str) -> str | None:
    """Ages up to 89 as they are, since dates keep their distances; those above as 90+; None for what is no number."""
    if number := re.search(r"\d{1,3}", text):
        old = int(number.group()) > OLDEST and not AGE_UNITS.search(text)
        return f"{text[: number.start()]}{OLD}" if old else text
    words = re.findall(r"[a-z]+", text.lower())
    if not words:
        return None
    return OLD if any(TENS.get(word, 0) > OLDEST for word in words) else text


def like(old: str, new: str) -> str:
    """The new words in the old one's case."""
    if old.isupper() and (len(old) > 1 or len(new) == 1):
        return new.upper()
    return new.lower() if old.islower() else new if len(new) > 1 else new.upper()
