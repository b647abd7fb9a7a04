"""What is in the records of a job, as one page of plots made from the records alone.

The page has no scripts and loads nothing. It holds numbers, and the names of types, traits, sections and codes, which are
medtext's own or a terminology's; no text of a note is in records, and no id is on the page unless it is asked for.
"""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from medtext.errors import UsageError
from medtext.schema import CATEGORIES, CONCEPT_LISTS, TERMINOLOGIES

Row = Mapping[str, Any]

CONCEPTS = {CONCEPT_LISTS[terminology]: called for terminology, called in TERMINOLOGIES.items()}
NO_RECORDS = ("manifest.json", "successful_files.json", "unprocessed_files.json")
SCORE_BARS = 20  # of the plot of scores, from 0 to 1
NOTE_BARS = (0, 1, 5, 10, 20, 50, 100, 200)  # entities of a note: where each bar begins
MOST = 15  # bars of a plot whose kinds are many
MOST_FAILED = 1_000  # ids that are shown


@dataclass
class Counts:
    """What was counted in records, and how fast they were made (seconds since the start and notes until then)."""

    notes: int = 0
    characters: int = 0
    types: Counter[tuple[str, str]] = field(default_factory=Counter)
    attributes: Counter[tuple[str, str]] = field(default_factory=Counter)
    subtypes: Counter[tuple[str, str]] = field(default_factory=Counter)
    traits: Counter[str] = field(default_factory=Counter)
    sections: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    scores: Counter[int] = field(default_factory=Counter)
    sizes: Counter[int] = field(default_factory=Counter)
    concepts: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[str, str]] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)
    progress: list[tuple[float, int]] = field(default_factory=list)

    @property
    def entities(self) -> int:
        return self.types.total()

    def add(self, row: Row) -> None:
        """Counts one record."""
        self.notes += 1
        if error := row.get("Error"):
            self.failures[error["Code"]] += 1
            if len(self.failed) < MOST_FAILED:
                self.failed.append((row["DocumentId"], error["Code"]))
            return
        self.characters += row["Characters"]
        self.versions[row["ModelVersion"]] += 1
        self.sizes[max(start for start in NOTE_BARS if start <= len(row["Entities"]))] += 1
        for entity in row["Entities"]:
            self._add_entity(entity)
        for unmapped in row["UnmappedAttributes"]:
            self.attributes[unmapped["Attribute"]["Type"], "alone"] += 1

    def _add_entity(self, entity: Row) -> None:
        self.types[entity["Category"], entity["Type"]] += 1
        self.scores[min(int(entity["Score"] * SCORE_BARS), SCORE_BARS - 1)] += 1
        self.sections[entity.get("Section") or "(none)"] += 1
        self.sources[(entity.get("Source") or "(not said)").split(":")[0]] += 1
        self.traits.update(trait["Name"] for trait in entity["Traits"])
        self.attributes.update(
            (attribute["Type"], "attached")
            for attribute in entity["Attributes"]
            if entity["Category"] != "TIME_EXPRESSION"  # its attribute is an entity that it dates
        )
        if entity.get("Subtype"):
            self.subtypes[entity["Type"], entity["Subtype"]] += 1
        for member in CONCEPTS:
            if found := entity.get(member):
                best = found[0]
                self.concepts.setdefault(member, Counter())[best["Code"], best.get("Description") or ""] += 1


def count(out: Path, log: Path | None = None) -> Counts:
    """What is in the records of an output, read one by one, and in the log that `--log-json` wrote of the job.

    Raises `UsageError` where there are no records, or something else is where they should be.
    """
    counts = Counts()
    for row in rows(out):
        try:
            counts.add(row)
        except (KeyError, TypeError, AttributeError, ValueError):
            raise UsageError(f"{out} holds something that is no record of medtext's.") from None
    if not counts.notes:
        raise UsageError(f"There are no records in {out}.")
    if log:
        counts.progress = list(_progress(log))
    return counts


def rows(out: Path) -> Iterator[Row]:
    """The records of whatever `medtext extract` or Spark writes: a file, or a folder of shards or of a file a note."""
    if not out.exists():
        raise UsageError(f"There is no {out}.")
    for path in _files(out):
        try:
            yield from _rows(path)
        except (ValueError, OSError):  # JSON's and Arrow's errors are ValueErrors or OSErrors
            raise UsageError(f"{path} cannot be read; it may be damaged or half written.") from None


def _files(out: Path) -> list[Path]:
    """The files of an output. A folder holds shards, or else a file a note."""
    if out.is_file():
        return [out]
    for pattern in ("*.parquet", "*.jsonl", "**/*.json"):
        if files := sorted(path for path in out.glob(pattern) if path.is_file() and _may_hold(path.relative_to(out))):
            return files
    return []


def _may_hold(path: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in (path.parts[0], path.name))
    return not hidden and path.as_posix() not in NO_RECORDS


def _rows(path: Path) -> Iterator[Row]:
    if path.suffix == ".parquet":
        from medtext.readers.parquet import file_rows

        yield from file_rows(path)
    elif path.suffix == ".json" and not _is_lines(path):
        yield json.loads(path.read_bytes())
    else:
        with path.open("rb") as lines:
            yield from (json.loads(line) for line in lines if line.strip())


def _is_lines(path: Path) -> bool:
    """Spark calls JSON Lines .json; medtext's file of one note begins with a brace on a line of its own."""
    with path.open("rb") as lines:
        return lines.readline().strip() != b"{"


def _progress(log: Path) -> Iterator[tuple[float, int]]:
    """Seconds and notes of each line of a `--log-json` log that has both; other lines are passed by."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UsageError(f"{log} cannot be read: {error.strerror}.") from None
    for line in lines:
        try:
            row = json.loads(line)
            yield float(row["seconds"]), int(row["notes"])
        except (ValueError, KeyError, TypeError):
            continue


# The page.

STYLE = """
:root { color-scheme: light dark; --text: #1c2430; --soft: #5a6675; --paper: #fff; --card: #f5f7fa; --line: #d9dfe7;
  --bar: #2f6fb5; --other: #9bb4d0; --bad: #b3402f; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e9f0; --soft: #a3afbe; --paper: #12161c; --card: #1b212a;
  --line: #333d4a; --bar: #6aa6e8; --other: #47627f; --bad: #e98573; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--paper); margin: 0 auto;
  max-width: 78rem; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; } h2 { font-size: 1.05rem; margin: 0; }
p { margin: .2rem 0 .8rem; color: var(--soft); }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1rem 0; padding: 0; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem 1rem; }
.tiles b { display: block; font-size: 1.4rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--soft); }
main { columns: 2 28rem; column-gap: 1rem; }
section { break-inside: avoid; margin: 0 0 1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; padding: 1rem; min-width: 0; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th { font-weight: 400; text-align: left; overflow-wrap: anywhere; padding: .12rem .6rem .12rem 0; width: 45%; }
th[colspan] { font-weight: 600; padding-top: .6rem; color: var(--soft); font-size: .8rem; }
td { padding: .12rem 0; } td.n { text-align: right; padding-right: .6rem; width: 5.5rem; font-variant-numeric: tabular-nums; }
.bar { display: flex; height: .85rem; } .bar i { background: var(--bar); border-radius: 0 2px 2px 0; min-width: 1px; }
.bar i + i, i.other { background: var(--other); } .bad i { background: var(--bad); }
.key i { display: inline-block; width: .8em; height: .8em; background: var(--bar); margin: 0 .3em 0 .8em; }
.key i.other { background: var(--other); }
svg { width: 100%; height: auto; display: block; } svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg rect { fill: var(--bar); } svg line { stroke: var(--line); } svg polyline { fill: none; stroke: var(--bar); stroke-width: 2; }
"""

Bar = tuple[str, Sequence[int]]
"""A label, and how long each part of its bar is."""
Key = TypeVar("Key", str, tuple[str, str])
"""What is counted: a name, or one within a group."""


def page(counts: Counts, ids: bool = False) -> str:
    """The page, as HTML; `ids` adds those of the notes that failed."""
    body = "".join(filter(None, _sections(counts, ids)))
    model = ", ".join(sorted(counts.versions)) or "none"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>medtext report</title>'
        f"<style>{STYLE}</style></head><body><h1>medtext report</h1>"
        f"<p>Made from the records alone, which hold no text of the notes. Model: {html.escape(model)}</p>"
        f"{_tiles(counts)}<main>{body}</main></body></html>\n"
    )


def _tiles(counts: Counts) -> str:
    failed = counts.failures.total()
    done = counts.notes - failed
    tiles = [
        (f"{counts.notes:,}", "notes"),
        (f"{failed:,}", "failed"),
        (f"{counts.characters:,}", "characters read"),
        (f"{counts.entities:,}", "entities"),
        (f"{counts.entities / done:.1f}" if done else "–", "entities a note"),
    ]
    if counts.progress:
        seconds, notes = counts.progress[-1]
        tiles.append((f"{notes / seconds:,.1f}" if seconds else "–", "notes a second"))
    return (
        f'<ul class="tiles">{"".join(f"<li><b>{number}</b> <span>{said}</span></li>" for number, said in tiles)}</ul>'
    )


def _sections(counts: Counts, ids: bool) -> Iterator[str]:
    types = [
        (category, [(kind, [number]) for (group, kind), number in _by_number(counts.types) if group == category])
        for category in CATEGORIES
    ]
    yield _plot("Entities by type", "How many entities of each type there are.", _table(types))
    yield _plot(
        "Scores",
        "Entities by score. One of 0.8 is meant to be right four times in five.",
        _scores(counts),
    )
    yield _plot("Sections", "The entities of each section of the notes.", _top(counts.sections))
    traits = [(name, [number]) for name, number in _by_number(counts.traits)]
    yield _plot("Traits", "Entities that are said to be so. One may have several.", _table([("", traits)]))
    yield _plot(
        "Attributes",
        'Doses, values, sites …: <span class="key"><i></i>on an entity <i class="other"></i>on none</span>',
        _table([("", _attributes(counts))]),
    )
    kinds = sorted({kind for kind, _ in counts.subtypes}, key=CATEGORIES["PROTECTED_HEALTH_INFORMATION"].index)
    phi = [
        (kind, [(name, [number]) for (group, name), number in _by_number(counts.subtypes) if group == kind])
        for kind in kinds
    ]
    yield _plot("Protected health information", "Identifiers by type and subtype.", _table(phi))
    for member, codes in counts.concepts.items():
        named = Counter({" ".join(concept).strip(): number for concept, number in codes.items()})
        yield _plot(f"Top concepts: {CONCEPTS[member]}", "The best code of each entity that has one.", _top(named))
    sizes = [(_size(start), [counts.sizes[start]]) for start in NOTE_BARS]
    yield _plot("Entities of a note", "Notes by how many entities they have.", _table([("", sizes)]))
    yield _plot("Found by", "Which kind of finder made the entities.", _top(counts.sources))
    failures = [(code, [number]) for code, number in _by_number(counts.failures)]
    yield _plot("Failures", "Notes that could not be read, by code.", _table([("", failures)], "bad") or "<p>None.</p>")
    if len(counts.progress) > 1:
        yield _plot("Throughput", "Notes a second, from one line of the log to the next.", _throughput(counts.progress))
    if ids and counts.failed:
        items = "".join(f"<li>{html.escape(name)} ({html.escape(code)})</li>" for name, code in counts.failed)
        said = f"The first {MOST_FAILED:,}." if counts.failures.total() > len(counts.failed) else "All of them."
        yield _plot("Notes that failed", said, f"<ul>{items}</ul>")


def _plot(title: str, said: str, plot: str) -> str:
    """A titled card; nothing where there is nothing to plot."""
    return f"<section><h2>{html.escape(title)}</h2><p>{said}</p>{plot}</section>" if plot else ""


def _by_number(counter: Counter[Key]) -> list[tuple[Key, int]]:
    """The most frequent first, and of as many in the order of their names: whatever order the records came in."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))


def _attributes(counts: Counts) -> list[Bar]:
    totals: Counter[str] = Counter()
    for (kind, _), number in counts.attributes.items():
        totals[kind] += number
    return [
        (kind, [counts.attributes[kind, "attached"], counts.attributes[kind, "alone"]])
        for kind, _ in _by_number(totals)
    ]


def _top(counter: Counter[str]) -> str:
    """The most frequent, and the rest as one."""
    ordered = _by_number(counter)
    bars: list[Bar] = [(name, [number]) for name, number in ordered[:MOST]]
    if rest := ordered[MOST:]:
        bars.append((f"{len(rest)} more", [0, sum(number for _, number in rest)]))
    return _table([("", bars)])


def _table(groups: Iterable[tuple[str, Sequence[Bar]]], kind: str = "") -> str:
    """Bars as a table, so that whoever cannot see them can read them: label, number, bar."""
    filled = [(name, bars) for name, bars in groups if bars]
    longest = max((sum(parts) for _, bars in filled for _, parts in bars), default=0)
    if not longest:
        return ""
    lines = []
    for name, bars in filled:
        if name:
            lines.append(f'<tr><th colspan="3" scope="colgroup">{html.escape(name)}</th></tr>')
        lines.extend(_line(label, parts, longest) for label, parts in bars)
    return f'<table class="{kind}">{"".join(lines)}</table>'


def _line(label: str, parts: Sequence[int], longest: int) -> str:
    shown = "".join(
        f'<i class="{"other" if place else "own"}" style="width:{100 * part / longest:.2f}%" title="{part:,}"></i>'
        for place, part in enumerate(parts)
        if part
    )
    number = f"{sum(parts):,}"
    return (
        f'<tr><th scope="row">{html.escape(label)}</th><td class="n">{number}</td>'
        f'<td><div class="bar" aria-hidden="true">{shown}</div></td></tr>'
    )


def _size(start: int) -> str:
    """What a bar of `NOTE_BARS` stands for."""
    place = NOTE_BARS.index(start) + 1
    if place == len(NOTE_BARS):
        return f"{start} or more"
    last = NOTE_BARS[place] - 1
    return str(start) if last == start else f"{start} to {last}"


WIDTH, HEIGHT, LEFT, FOOT = 640, 220, 56, 24
"""Of a plot with axes: its size, and the room of what stands beside the axes."""


def _scores(counts: Counts) -> str:
    most = max(counts.scores.values(), default=0)
    if not most:
        return ""
    wide = (WIDTH - LEFT) / SCORE_BARS
    bars = []
    for place in range(SCORE_BARS):
        number = counts.scores[place]
        high = (HEIGHT - FOOT - 14) * number / most
        span = f"{place / SCORE_BARS:.2f} to {(place + 1) / SCORE_BARS:.2f}"
        bars.append(
            f'<rect x="{LEFT + place * wide + 1:.1f}" y="{HEIGHT - FOOT - high:.1f}" width="{wide - 2:.1f}" '
            f'height="{high:.1f}"><title>{span}: {number:,}</title></rect>'
        )
    ticks = [(LEFT + (WIDTH - LEFT) * share, f"{share:g}") for share in (0, 0.25, 0.5, 0.75, 1)]
    said = ", ".join(f"{place / SCORE_BARS:.2f}: {counts.scores[place]:,}" for place in range(SCORE_BARS))
    return _axes(f"Entities by score, from each score on: {said}", "".join(bars), ticks, most)


def _throughput(points: Sequence[tuple[float, int]]) -> str:
    rates = [
        (later, (notes - before) / (later - earlier))
        for (earlier, before), (later, notes) in zip([(0.0, 0), *points], points, strict=False)
        if later > earlier and notes >= before
    ]
    if not rates:
        return ""
    end, most = rates[-1][0], max(rate for _, rate in rates) or 1
    places = [
        (LEFT + (WIDTH - LEFT) * seconds / end, HEIGHT - FOOT - (HEIGHT - FOOT - 14) * rate / most)
        for seconds, rate in rates
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    ticks = [(LEFT, "0"), (WIDTH, f"{end:,.0f} s")]
    said = f"Notes a second over {end:,.0f} seconds, {most:,.0f} at most"
    return _axes(said, f'<polyline points="{line}"/>', ticks, round(most))


def _axes(said: str, drawn: str, ticks: Iterable[tuple[float, str]], most: int) -> str:
    bottom = HEIGHT - FOOT
    labels = "".join(
        f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="{"end" if x >= WIDTH else "middle"}">{name}</text>'
        for x, name in ticks
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(said)}">'
        f'<line x1="{LEFT}" y1="{bottom}" x2="{WIDTH}" y2="{bottom}"/><line x1="{LEFT}" y1="14" x2="{WIDTH}" y2="14"/>'
        f'<text x="{LEFT - 6}" y="18" text-anchor="end">{most:,}</text>'
        f'<text x="{LEFT - 6}" y="{bottom}" text-anchor="end">0</text>{drawn}{labels}</svg>'
    )
