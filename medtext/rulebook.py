"""Reads `rules/`: data with ids, checked on load.

Tables are tab-separated (`.tsv`, optionally `.gz`) with a header line; rules with a regular expression are TOML
(literal strings, so no doubled backslashes). Each row or `[[rule]]` becomes one instance of a frozen dataclass: an
unknown key, a missing one, a value of the wrong type or an id that occurs twice is a `RuleError` that names the file
and the place. Lines of a table that are empty or begin with "#" are comments.
"""

from __future__ import annotations

import gzip
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from medtext.errors import RuleError

Rule = TypeVar("Rule")


def rules_dir(chosen: str = "") -> Path:
    """The folder `chosen`, or the shipped rules: beside the package in a checkout, inside it in a wheel.

    Raises `RuleError` where there is no such folder.
    """
    if chosen:
        if not Path(chosen).is_dir():
            raise RuleError(f"There is no folder of rules {chosen}.")
        return Path(chosen)
    here = Path(__file__).parent
    inside = here / "rules"
    return inside if inside.is_dir() else here.parent / "rules"


def load_table(path: Path, kind: type[Rule]) -> tuple[Rule, ...]:
    """The rows of a `.tsv` or `.tsv.gz` file, as instances of the dataclass `kind`.

    An empty cell takes the field's default. Raises `RuleError`.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    with _reading(path), opener(path, "rt", encoding="utf-8", newline="") as lines:
        rows = _rows(path, lines)
        return _checked(kind, rows)


def load_toml(path: Path, table: str, kind: type[Rule]) -> tuple[Rule, ...]:
    """The `[[table]]` entries of a TOML file, as instances of the dataclass `kind`. Raises `RuleError`.

    `{name}` in a text of theirs stands for the text of that name in the file's table `shared`, where it has one.
    """
    with _reading(path):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    entries, shared = content.get(table, []), content.get("shared", {})
    places = (
        (f"{path.name}: {table} {number}", {key: _with_shared(value, shared) for key, value in entry.items()})
        for number, entry in enumerate(entries, 1)
    )
    return _checked(kind, places)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Raises `RuleError` for a file that is not there, or that no text or no TOML is in."""
    try:
        yield
    except OSError as error:
        raise RuleError(f"{path} cannot be read: {error.strerror or 'damaged'}.") from None
    except UnicodeDecodeError:
        raise RuleError(f"{path.name} is not UTF-8 text.") from None
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{path.name}: {error}.") from None


def _with_shared(value: Any, shared: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in shared.items():
            value = value.replace(f"{{{name}}}", text)
    return value


def load_words(path: Path) -> frozenset[str]:
    """The lines of a word list, in lower case; "#" begins a comment."""
    with _reading(path):
        lines = path.read_text(encoding="utf-8").splitlines()
    words = (line.partition("#")[0].strip().lower() for line in lines)
    return frozenset(word for word in words if word)


def any_of(terms: Iterable[str], whole: bool = False) -> str:
    """An expression for any of the terms, the longest first; one that matches nothing where there are none.

    With `whole`, one that ends in a letter or digit must end a word.
    """
    longest_first = sorted(terms, key=len, reverse=True)
    return (
        "|".join(re.escape(term) + (r"\b" if whole and term[-1].isalnum() else "") for term in longest_first) or r"(?!)"
    )


def expression(rule: str, regex: str, flags: int) -> re.Pattern[str]:
    """The expression of the rule with this id. Raises `ValueError`, which names the rule, for one that is wrong."""
    try:
        return re.compile(regex, flags)
    except re.error as error:
        raise ValueError(f"a regular expression of {rule!r} is wrong: {error}") from None


def _rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[str, Mapping[str, str]]]:
    header: list[str] | None = None
    for number, line in enumerate(lines, 1):
        line = line.rstrip("\r\n")
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        place = f"{path.name}, line {number}"
        if header is None:
            header = cells
        elif len(cells) > len(header):
            raise RuleError(f"{place}: {len(cells)} cells under {len(header)} column names.")
        else:
            yield place, {key: cell for key, cell in zip(header, cells, strict=False) if cell != ""}


def _checked(kind: type[Rule], rows: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[Rule, ...]:
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    required = {name for name, field in known.items() if field.default is MISSING and field.default_factory is MISSING}
    rules: list[Rule] = []
    seen: set[str] = set()
    for place, row in rows:
        if unknown := sorted(row.keys() - known.keys()):
            raise RuleError(f"{place}: unknown key {unknown[0]!r}; known are {', '.join(known)}.")
        if missing := sorted(required - row.keys()):
            raise RuleError(f"{place}: {missing[0]!r} is missing.")
        try:
            rule = kind(**{key: _converted(cell, hints[key]) for key, cell in row.items()})
        except ValueError as error:
            raise RuleError(f"{place}: {error}.") from None
        if "id" in known:
            if rule.id in seen:  # type: ignore[attr-defined]
                raise RuleError(f"{place}: the id {rule.id!r} occurs twice.")  # type: ignore[attr-defined]
            seen.add(rule.id)  # type: ignore[attr-defined]
        rules.append(rule)
    return tuple(rules)


def _converted(cell: Any, hint: Any) -> Any:
    """A table's text as the field's type; TOML brings types of its own, which must fit."""
    if isinstance(cell, list):
        return tuple(cell)
    if hint in (int, float) and not isinstance(cell, bool):
        return hint(cell)
    if hint is bool and isinstance(cell, str):
        if cell not in ("true", "false"):
            raise ValueError(f"{cell!r} is neither true nor false")
        return cell == "true"
    if isinstance(hint, type) and not isinstance(cell, hint):
        raise ValueError(f"{cell!r} is no {hint.__name__}")
    return cell
