"""Which names of a note are the same person's.

"Jonah R. Tolliver", "TOLLIVER, JONAH", "J. Tolliver", "Mr. Tolliver", "Jonah" and "JT" are one; "Mary Tolliver" is another, and
so is "Mrs. Tolliver" where only a Jonah is known. Where a name fits several, the one of its sex and role that came first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from unicodedata import category, normalize

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
TITLES = {
    **dict.fromkeys(("mr", "mister", "sir", "father", "brother"), "M"),
    **dict.fromkeys(("mrs", "ms", "miss", "madam", "sister"), "F"),
    **dict.fromkeys(
        ("dr", "drs", "doctor", "prof", "professor", "nurse", "rev", "sgt", "rabbi", "officer", "attorney"), ""
    ),
}
"""What stands before a name, in lower case, and the sex it tells."""
KIN = {
    **dict.fromkeys(("husband", "father", "dad", "son", "brother", "uncle", "grandson", "grandfather", "nephew"), "M"),
    **dict.fromkeys(("wife", "mother", "mom", "daughter", "aunt", "granddaughter", "grandmother", "niece"), "F"),
}
"""Relatives whose name may follow, and the sex they tell."""
BEHIND = frozenset(
    {
        *("md", "rn", "np", "phd", "jr", "sr", "ii", "iii", "iv", "mbbs", "dds", "msw", "lcsw", "pharmd", "dpt"),
        *("aprn", "fnp", "crna", "lpn"),
    }
)
"""What stands behind one, without what is a name as well ("Do", "Pa")."""
PARTICLES = frozenset(
    {
        *("van", "von", "de", "del", "della", "la", "le", "der", "den", "di", "da", "dos", "du"),
        *("bin", "al", "el", "ter", "st", "and"),
    }
)
POSSESSIVE = re.compile(r"['’]s$", re.IGNORECASE)

SexOf = Callable[[str], str]
"""The sex of a given name in lower case: "M", "F", or "" for either."""


def plain(word: str) -> str:
    """A word as it is compared: in lower case, without accents, marks and characters that nobody sees."""
    letters = normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


def seen(text: str) -> str:
    """The text without characters that nobody sees (zero-width ones), look-alikes by width made plain."""
    return normalize("NFKC", "".join(letter for letter in text if category(letter) != "Cf"))


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart, in plain words. One word alone is neither given nor family name yet: it is in `alone`."""

    given: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    alone: str = ""
    initials: str = ""
    sex: str = ""
    role: str = ""


@dataclass(slots=True)
class Person:
    """One person of a note, and what the note calls them."""

    role: str = ""
    sex: str = ""
    given: list[str] = field(default_factory=list)
    family: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


def read_name(text: str, before: str = "", role: str = "") -> Name:
    """A name as it is written; `before` is what stands before it, where a title can be."""
    text = POSSESSIVE.sub("", seen(text).strip())
    title = [plain(word) for word in WORD.findall(before)[-1:]]
    told = [KIN.get(word, "") or TITLES.get(word, "") for word in title]
    told += [TITLES.get(plain(word), "") for word in WORD.findall(text)]
    sex = next(filter(None, told), "")
    role = "RELATIVE" if title and title[0] in KIN else role
    head, comma, tail = text.partition(",")
    first, second = _words(head), _words(tail)
    words = [*first, *second]
    if not words:
        return Name(sex=sex, role=role)
    if (letters := _initials(text)) and not comma:  # "LEE" is a name as well, where nobody has these initials
        return Name(alone="" if "." in text else letters, initials=letters, sex=sex, role=role)
    if len(words) == 1:
        return Name(alone=words[0], sex=sex, role=role)
    if comma and first and second:
        return Name(tuple(second), tuple(first), sex=sex, role=role)
    behind = len(words) - _hyphenated(head)
    return Name(tuple(words[:behind]), tuple(words[behind:]), sex=sex, role=role)


def name_words(text: str) -> list[re.Match[str]]:
    """The words of a name that name somebody: no title before it, degree behind it, or particle inside ("van der")."""
    words = list(WORD.finditer(text))
    while len(words) > 1 and plain(words[-1].group()) in BEHIND:
        words.pop()
    while len(words) > 1 and plain(words[0].group()) in TITLES:
        del words[0]
    return [word for word in words if not _is_particle(word)]


def _is_particle(word: re.Match[str]) -> bool:
    """A small word in front of another; "Le, Minh" and "Minh Le" are names."""
    text, end = word.string, word.end()
    small = word.group().islower() and word.group() in PARTICLES
    return small and text[end : end + 1] in (" ", "\n", "-") and text[end + 1 : end + 2].isalpha()


def _words(text: str) -> list[str]:
    return [small for word in name_words(text) if (small := plain(word.group()))]


def _hyphenated(text: str) -> int:
    """How many words the last name is made of: 2 of "Yevgenia Sharapova-Lund"."""
    words = name_words(text)
    gaps = [text[one.end() : other.start()] for one, other in pairwise(words)]
    return 1 + next((number for number, gap in enumerate(reversed(gaps)) if gap != "-"), len(gaps))


def _initials(text: str) -> str:
    """The letters of "JT", "J.T." and "J. R. T."; "" for anything else."""
    letters = re.sub(r"[.\s]", "", text)
    bare = len(letters) <= 3 and letters.isalpha() and (letters.isupper() or letters.islower())
    return plain(letters) if bare and (len(letters) == len(text) or "." in text) else ""


class People:
    """The persons of one note. Names with most to say are read first, so that the order in the note does not matter."""

    def __init__(self, names: Iterable[Name], sex_of: SexOf) -> None:
        self._sex_of = sex_of
        self.persons: list[Person] = []
        self.of: dict[Name, int] = {}
        distinct = list(dict.fromkeys(names))
        for name in sorted(distinct, key=_vagueness):  # stable: first come, first served
            self.of[name] = self._place(name)

    def person(self, name: Name) -> Person:
        """Whose name it is."""
        return self.persons[self.of[name]]

    def _place(self, name: Name) -> int:
        fitting = [number for number, person in enumerate(self.persons) if self._fits(name, person)]
        if fitting:
            number = min(fitting, key=lambda one: (self.persons[one].role != name.role, one))
        else:
            number = len(self.persons)
            self.persons.append(Person(name.role))
        self._learn(self.persons[number], name)
        return number

    def _learn(self, person: Person, name: Name) -> None:
        person.sex = person.sex or name.sex or (self._sex_of(name.given[0]) if name.given else "")
        if not person.given or len(person.given[0]) < len((name.given or ("",))[0]):
            person.given = list(name.given) or person.given
        person.family.extend(word for word in name.family if word not in person.family)
        if name.alone and not (person.given or person.family):
            person.names.add(name.alone)

    def _fits(self, name: Name, person: Person) -> bool:
        if name.sex and person.sex and name.sex != person.sex:
            return False
        if name.initials and _fits_initials(name.initials, person):
            return True
        if name.initials or name.alone:
            return bool(name.alone) and name.alone in (*person.family, *person.given[:1], *person.names)
        if not name.given:  # "Sharapova-Lund"
            return bool({*name.family} & {*person.family, *person.given[:1]})
        if not (person.given and person.family):
            return False
        return _fits_whole(name.given, name.family, person) or _fits_whole(
            name.family, name.given, person
        )  # "TOLLIVER JONAH"


def _vagueness(name: Name) -> int:
    """How little a name says: whole, with an initial, one word, initials."""
    if name.initials or not (name.given or name.family or name.alone):
        return 3
    if not name.given:
        return 2
    return int(len(name.given[0]) == 1)


def _fits_whole(given: tuple[str, ...], family: tuple[str, ...], person: Person) -> bool:
    if not (set(family) & {*person.family, *person.given[1:]} or set(person.family) & set(given[1:])):
        return False
    pairs = zip(given, person.given, strict=False)
    return all(_same_or_initial(one, other) for one, other in pairs)


def _same_or_initial(one: str, other: str) -> bool:
    return one == other or (min(len(one), len(other)) == 1 and one[0] == other[0])


def _fits_initials(letters: str, person: Person) -> bool:
    if not (person.given and person.family) or len(letters) < 2:
        return False
    return person.given[0][0] == letters[0] and any(word[0] == letters[-1] for word in person.family)
