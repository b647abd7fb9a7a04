"""Gold notes in a new dress for every epoch: what both networks train on."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from medtext.rulebook import rules_dir
from medtext.training.corpus import Example, augmented
from medtext.training.invented import InventedLines
from medtext.training.prepare import Preparation, Prepared
from medtext.training.swaps import Swaps


class Dresser:
    """Exchanges mentions for others of `annotated`, puts in invented lines, writes as other hospitals do, and prepares.

    A share `flag_dropout` of the notes comes without flags, so that a network does not lean on them.
    """

    def __init__(self, annotated: Iterable[Example], prepare: Preparation, flag_dropout: float) -> None:
        self._swaps, self._lines = Swaps(annotated, rules_dir()), InventedLines(rules_dir())
        self._prepare = prepare
        self._flag_dropout = flag_dropout

    def __call__(self, note: Example, chance: random.Random) -> Prepared:
        ready = self._prepare(augmented(self._lines(self._swaps(note, chance), chance), chance))
        if chance.random() < self._flag_dropout:
            return replace(ready, flags=np.zeros_like(ready.flags))
        return ready
