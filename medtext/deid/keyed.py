"""Numbers that stand for values: the same each time for the same key, and not to be had without it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
LETTERS = "abcdefghijklmnop"


@dataclass(frozen=True, slots=True)
class Keyed:
    """Keyed choices.

    Args:
        key: the secret.
        scope: within which the same value gives the same: a patient, a document, or "" for everywhere.
    """

    key: str = field(repr=False)
    scope: str = field(default="", repr=False)

    def digest(self, *parts: str, size: int = 8) -> bytes:
        """`size` bytes that depend on the key, the scope and the parts."""
        key = hashlib.blake2b(self.key.encode("utf-8", "surrogatepass")).digest()
        content = "\0".join((self.scope, *parts)).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, digest_size=size, key=key).digest()

    def letters(self, *parts: str) -> str:
        """64 bits as letters: figures would be read as a record's number or a result."""
        return "".join(LETTERS[byte >> 4] + LETTERS[byte & 15] for byte in self.digest(*parts))

    def number(self, *parts: str, below: int = 1 << 63) -> int:
        """A number from 0 that is less than `below`."""
        return int.from_bytes(self.digest(*parts), "big") % below

    def choice(self, options: Sequence[T], *parts: str) -> T:
        return options[self.number(*parts, below=len(options))]
