"""Which concepts of a terminology a few words may mean: an index of their names by the stems of words.

Names are compared by the cosine of their words, each weighed by how few names have it (Salton & Buckley 1988). A word counts
without its ending (Porter's English stemmer), and what `rules/concepts/equivalents.tsv` holds equal counts as one word
("renal" and "kidney"). `rules/compile_concepts.py` compiles the indexes.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from pathlib import Path

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

from medtext.errors import RuleError
from medtext.rulebook import load_table, load_words

WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
BRITISH = 4
"""Letters from beyond which "ae" and "oe" are "e": "oedema", but "toe"."""
CACHED = 50_000
"""Texts whose stems are kept."""
LONGEST = 24
"""Words of a text that count."""
UNKNOWN = 0.5
"""What a stem that no name has weighs, against the rarest of those that names have."""
MANY = 4000
"""Names from which on a stem is common."""
ENOUGH = 6
"""Names looked at for each concept that is asked for: a name stands there once for each word that it shares."""
SAME = 0.9
"""How like a name is at least that has the same words: a little less than 1, since names of others are trusted less."""
SIDES = ("left", "right", "bilateral")
OPEN = "unspecified"
"""What stands in a description for the side that is left open."""
Floats = NDArray[np.float32]
Places = NDArray[np.int32]
_stemmer = snowballstemmer.stemmer("english")


@dataclass(frozen=True, slots=True)
class Equivalent:
    """Words that mean the same in names of concepts, separated by "|"; all count as the first, which may be several."""

    id: str
    words: str


class Stems:
    """Reads a text as stems."""

    def __init__(self, silent: Iterable[str], equivalents: Iterable[Equivalent]) -> None:
        self._silent = frozenset(silent)
        self._means: dict[str, tuple[str, ...]] = {}
        for equivalent in equivalents:
            first, *others = equivalent.words.split("|")
            for word in others:
                self._means[_stemmed(word)] = tuple(map(_stemmed, first.split()))
        self._kept = lru_cache(CACHED)(self._read)

    @classmethod
    def of_rules(cls, rules: Path) -> Stems:
        """From `concepts/` of a folder of rules."""
        folder = rules / "concepts"
        return cls(load_words(folder / "silent.txt"), load_table(folder / "equivalents.tsv", Equivalent))

    def __call__(self, text: str) -> tuple[str, ...]:
        """The stems of a text's words, once each, in their order."""
        return self._kept(text)

    def _read(self, text: str) -> tuple[str, ...]:
        stems: dict[str, None] = {}
        for word in WORD.findall(text.lower())[:LONGEST]:
            if word not in self._silent:
                stem = _stemmed(word)
                stems.update(dict.fromkeys(self._means.get(stem, (stem,))))
        return tuple(stems)


@lru_cache(maxsize=100_000)
def _stemmed(word: str) -> str:
    if len(word) > BRITISH:
        word = word.replace("ae", "e").replace("oe", "e")
    return _stemmer.stemWord(word)  # type: ignore[no-any-return]


class Terminology:
    """Concepts and an index of their names, as `rules/compile_concepts.py` writes it.

    Args:
        codes, descriptions: of each concept.
        stems: of all names, sorted.
        prior: of each concept, by how much it is likelier than its names say.
        rarity: of each stem, its weight.
        first: where the names of each stem begin in `names`, and one more where the last end.
        names: for each stem the names that have it.
        lengths: of each name, of its vector.
        concept: of each name, the place of its concept.
        sizes: of each name, its stems.
        trust: of each name, what its likeness counts: 1 for the terminology's own, less for those of others.
    """

    def __init__(
        self,
        codes: list[str],
        descriptions: list[str],
        stems: list[str],
        prior: Floats,
        rarity: Floats,
        first: Places,
        names: Places,
        lengths: Floats,
        concept: Places,
        sizes: Places,
        trust: Floats,
    ) -> None:
        self.codes, self.descriptions = codes, descriptions
        self.place_of = {code: place for place, code in enumerate(codes)}
        self._sided = _by_side(descriptions)
        self._stems = {stem: place for place, stem in enumerate(stems)}
        self._rarity, self._rarest = rarity.tolist(), float(rarity.max())
        self._first, self._names, self._concept = first.tolist(), names, concept
        self._prior_of_concept = prior
        self.sizes = dict(zip(concept.tolist(), sizes.tolist(), strict=True))  # of the last name of each concept
        self._scale, self._prior_of_name = trust / lengths, prior[concept]

    @classmethod
    def load(cls, path: Path) -> Terminology:
        """The index in a file. Raises `RuleError`."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                parts = dict(stored)
            texts = {name: bytes(parts.pop(name)).decode().split("\n") for name in ("codes", "descriptions", "stems")}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            raise RuleError(f"{path} cannot be read; rules/compile_concepts.py makes it.") from None
        return cls(texts["codes"], texts["descriptions"], texts["stems"], **parts)

    def search(
        self, stems: Mapping[str, float], most: int, least: float = 0.0, every: bool = False
    ) -> list[tuple[int, float]]:
        """The likeliest concepts for weighed stems: their places and how like they are, the best first, `most` at most, and
        none less like than `least`.

        Names are looked at that have one of the weightiest stems, with `every` all of them; the others only tell these apart.
        """
        known = [(place, weight) for stem, weight in stems.items() if (place := self._stems.get(stem)) is not None]
        heaviest = max(stems.values(), default=0.0)
        leading = self._leading([place for place, weight in known if weight == heaviest], every)
        if not len(leading):
            return []
        length = sum((weight * self._weight(stem)) ** 2 for stem, weight in stems.items()) ** 0.5
        shared = np.zeros(len(leading), np.float32)  # of each name, what it shares with the text
        for place, weight in known:
            shared += np.float32(weight * self._rarity[place] ** 2 / length) * _among(leading, self._having(place))
        likeness = shared * self._scale[leading] + self._prior_of_name[leading]
        kept = likeness >= least
        leading, likeness = leading[kept], likeness[kept]
        if len(leading) > ENOUGH * most:
            leading, likeness = _best(leading, likeness, ENOUGH * most)
        of_concept: dict[int, float] = {}
        for place, like in zip(self._concept[leading].tolist(), likeness.tolist(), strict=True):
            of_concept[place] = max(like, of_concept.get(place, like))
        return sorted(of_concept.items(), key=lambda item: (-item[1], item[0]))[:most]

    def _leading(self, stems: Sequence[int], every: bool) -> Places:
        """The names that have one of these stems, or every one; where there are rarer ones, the commonest do not count."""
        having = [self._having(stem) for stem in stems]
        if every and having:
            return reduce(partial(np.intersect1d, assume_unique=True), having)
        rare = [names for names in having if len(names) <= MANY] or having
        return np.unique(np.concatenate(rare)) if len(rare) > 1 else rare[0] if rare else self._names[:0]

    def _having(self, stem: int) -> Places:
        """The names that have a stem."""
        return self._names[self._first[stem] : self._first[stem + 1]]

    def named(self, stems: Sequence[str]) -> int | None:
        """The likeliest concept with just this name, if there is one."""
        found = self.search(dict.fromkeys(stems, 1.0), 1)
        return found[0][0] if found and found[0][1] - self._prior_of_concept[found[0][0]] >= SAME else None

    def of_side(self, place: int, side: str) -> int:
        """The concept of this side for one that leaves the side open: that of "left femur" for "unspecified femur"."""
        return self._sided.get((side, _sideless(self.descriptions[place])), place) if side else place

    def _weight(self, stem: str) -> float:
        """A stem's weight; one that no name has says little of what is meant."""
        place = self._stems.get(stem)
        return UNKNOWN * self._rarest if place is None else self._rarity[place]


def _among(names: Places, having: Places) -> NDArray[np.bool_]:
    """Which of the names are among those that have a stem; both are sorted."""
    found: NDArray[np.bool_] = having[np.minimum(np.searchsorted(having, names), len(having) - 1)] == names
    return found


def _by_side(descriptions: Iterable[str]) -> dict[tuple[str, tuple[str, ...]], int]:
    """The concepts of one side, by it and by their other words; none where two share these."""
    found: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for place, said in enumerate(descriptions):
        sides = set(WORD.findall(said.lower())).intersection(SIDES)
        if len(sides) == 1:
            found.setdefault((sides.pop(), _sideless(said)), []).append(place)
    return {key: places[0] for key, places in found.items() if len(places) == 1}


def _sideless(description: str) -> tuple[str, ...]:
    """The words of a description but those of its side."""
    return tuple(sorted(word for word in WORD.findall(description.lower()) if word not in (OPEN, *SIDES)))


def _best(found: Places, likeness: Floats, most: int) -> tuple[Places, Floats]:
    """The names that are at least as like as the `most`-th of them."""
    least = np.partition(likeness, len(likeness) - most)[len(likeness) - most]
    kept = likeness >= least
    return found[kept], likeness[kept]
