"""Names, places and professions that nobody has, from Faker's lists.

A name is replaced by one of the same kind: given or family, of the same sex, of the locale of Faker's that lists it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any
from unicodedata import combining, normalize

from faker import Factory

from medtext.deid.keyed import Keyed
from medtext.deid.people import plain

HOME = "en_US"
GIVEN = (
    HOME,
    "es_MX",
    "en_IN",
    "ig_NG",
    "yo_NG",
    "en_KE",
    "vi_VN",
    "it_IT",
    "fr_FR",
    "de_DE",
    "nl_NL",
    "pt_BR",
    "tr_TR",
)
"""Locales in the order in which a given name is looked up."""
FAMILY = ("es_MX", *(locale for locale in GIVEN if locale != "es_MX"))
"""The same for family names: what Mexico shares with the United States is Spanish."""
SINGLE = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Names:
    """A locale's names, sorted, and which plain words they are."""

    family: tuple[str, ...]
    male: tuple[str, ...]
    female: tuple[str, ...]

    def known(self, word: str) -> bool:
        """Whether the word is one of its given names."""
        return word in _words_of(self.male) or word in _words_of(self.female)


def _provider(locale: str, kind: str) -> Any:
    providers = Factory.create(locale).providers
    return next(one for one in providers if type(one).__module__.startswith(f"faker.providers.{kind}."))


@cache
def names(locale: str) -> Names:
    """The names of a locale: those of one word."""
    person = _provider(locale, "person")

    def listed(kind: str) -> tuple[str, ...]:
        return tuple(sorted({name for name in getattr(person, kind, ()) if SINGLE.fullmatch(name)}))

    return Names(listed("last_names"), listed("first_names_male"), listed("first_names_female"))


@cache
def _words_of(listed: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(plain, listed))


@cache
def sex_of(word: str) -> str:
    """The sex of a given name in plain letters, where the first locale that lists it knows one: "M", "F", or ""."""
    for locale in GIVEN:
        listed = names(locale)
        if listed.known(word):
            male, female = (word in _words_of(one) for one in (listed.male, listed.female))
            return "" if male and female else "M" if male else "F"
    return ""


def is_given(word: str) -> bool:
    """Whether any locale lists the word as a given name."""
    return any(names(locale).known(word) for locale in GIVEN)


@cache
def family_locale(word: str) -> str:
    """The first locale that lists this family name in plain letters; the United States where none does."""
    return next((locale for locale in FAMILY if word in _words_of(names(locale).family)), HOME)


@cache
def given_locale(word: str) -> str:
    """The first locale that lists this given name, or ""."""
    return next((locale for locale in GIVEN if names(locale).known(word)), "")


@dataclass(frozen=True)
class Fakes:
    """Replacements that depend on the key, the scope and what is replaced. `never` are words that would not pass for names."""

    keyed: Keyed
    never: frozenset[str] = frozenset()

    def family(self, word: str) -> str:
        return self._other(word, names(family_locale(word)).family, "family")

    def given(self, word: str, sex: str = "", locale: str = HOME) -> str:
        """`sex` is the person's, of whom a title tells more than "Jean" does; `locale` is for a name that no list has."""
        listed = names(given_locale(word) or locale)
        sex = sex or sex_of(word)
        if sex:
            return self._other(word, listed.male if sex == "M" else listed.female, "given")
        home = names(HOME)
        either = sorted(set(listed.male) & set(listed.female)) or sorted(set(home.male) & set(home.female))
        return self._other(word, either, "given")

    def letter(self, letter: str) -> str:
        """A letter for an initial of which nothing more is known."""
        return self._other(letter, "abcdefghjklmnprstw", "letter")

    def city(self, text: str) -> str:
        return str(self._seeded("city", text).city())

    def street(self, text: str) -> str:
        return str(self._seeded("street", text).street_name())

    def state(self, text: str, short: bool) -> str:
        seeded = self._seeded("state", text)
        return str(seeded.state_abbr(include_territories=False) if short else seeded.state())

    def country(self, text: str) -> str:
        return str(self._seeded("country", text).country())

    def profession(self, text: str) -> str:
        return str(self._seeded("profession", text).job()).partition(",")[0].lower()

    def user(self, text: str) -> str:
        return str(self._seeded("user", text).user_name())

    def _seeded(self, kind: str, text: str) -> Any:
        generator = _generator()
        generator.seed_instance(self.keyed.number(kind, plain(text)))
        return generator

    def _other(self, word: str, listed: Iterable[str], kind: str) -> str:
        """One of the list that is not the word itself, in ASCII if the word is."""
        options = [one for one in listed if plain(one) != word and plain(one) not in self.never]
        return _ascii(self.keyed.choice(options, kind, word))


@cache
def _generator() -> Any:
    return Factory.create(HOME)


@cache
def states() -> frozenset[str]:
    """The states of the United States in lower case, written out and short."""
    address = _provider(HOME, "address")
    return frozenset(name.lower() for name in (*address.states, *address.states_abbr))


def _ascii(word: str) -> str:
    return "".join(letter for letter in normalize("NFKD", word) if not combining(letter))
