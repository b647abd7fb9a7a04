"""Tables whose first line names the tests: a result belongs to the test at the head of its column.

    Time   T     HR   BP      SpO2
    0600  38.0  114  118/64  96

The nearest test is seldom the right one here. What stands in no test's column, or in a row that does not fit, hangs on none of
the table's tests.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from medtext.findings import Link
from medtext.link_pairs import RESULT, UNIT
from medtext.schema import Mention

TEST = "TEST_NAME"
SURE = 0.95  # how sure the link to the head of a column is
LONGEST = 300  # a line of a table, in characters
RULE = re.compile(r"[\s|:+=-]+")  # the line under the head of a table
BAR, TAB, GAP, BLANK = re.compile(r"\|"), re.compile(r"\t"), re.compile(r"[ \t]{2,}"), re.compile(r"[ \t]+")

Cells = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Head:
    """The line from `begin` on that names the tests: its cells, what parts them, and the tests by their columns."""

    begin: int
    cells: Cells
    parting: re.Pattern[str]
    tests: Mapping[int, int]

    def columns(self, text: str, begin: int, end: int) -> Iterator[tuple[tuple[int, int], int]]:
        """The cells of a row that stand in a test's column, and that test."""
        cells = split(text, begin, end, self.parting)
        if self.parting is GAP and is_one(cells):
            cells = split(text, begin, end, BLANK)
            places = self._in_order(cells)
        else:
            places = self._under(begin, cells) if self.parting is GAP else self._in_order(cells)
        for cell, place in zip(cells, places, strict=True):
            if place in self.tests and places.count(place) == 1:
                yield cell, self.tests[place]

    def _in_order(self, cells: Cells) -> list[int]:
        """The column of each cell of a row, by its number; -1 where that is not certain."""
        enough = len(cells) == len(self.cells) or (self.parting in (BAR, TAB) and len(cells) < len(self.cells))
        return list(range(len(cells))) if enough else [-1] * len(cells)

    def _under(self, begin: int, cells: Cells) -> list[int]:
        """The column of each cell of a row that begins there, by its number and by what stands above it.

        Where every head is a test's their order is certain. A row with fewer cells than the head must be level with it:
        hand-made columns drift.
        """
        above = [self._above(begin, cell) for cell in cells]
        if len(cells) == len(self.cells):
            fits = len(self.tests) == len(cells) or all(
                place in heads or not heads for place, heads in enumerate(above)
            )
            return [place if fits or heads == [place] else -1 for place, heads in enumerate(above)]
        pairs = [(cell, self.cells[heads[0]]) for cell, heads in zip(cells, above, strict=True) if heads]
        down = begin - self.begin
        level = any(all(cell[edge] == head[edge] + down for cell, head in pairs) for edge in (0, 1))
        certain = level and all(len(heads) <= 1 for heads in above)
        return [heads[0] if heads and certain else -1 for heads in above]

    def _above(self, begin: int, cell: tuple[int, int]) -> list[int]:
        """The columns whose heads stand above a cell, as lines of letters of one width show them."""
        down = begin - self.begin
        return [place for place, head in enumerate(self.cells) if cell[0] < head[1] + down and head[0] + down < cell[1]]


def in_tables(text: str, mentions: Sequence[Mention], links: Mapping[int, Link]) -> Iterator[tuple[int, Link | None]]:
    """The links of results and units in tables that change, by their places; None for what hangs on no test of its table."""
    breaks = [-1, *(match.start() for match in re.finditer("\n", text)), len(text)]
    lines: dict[int, list[int]] = {}
    for place, mention in enumerate(mentions):
        if mention.type in (TEST, RESULT, UNIT):
            lines.setdefault(bisect_right(breaks, mention.begin - 1) - 1, []).append(place)
    for line, places in lines.items():
        head = head_of(text, (breaks[line] + 1, breaks[line + 1]), mentions, places)
        for row in range(line + 1, len(breaks) - 1) if head else ():
            inside = lines.get(row, [])
            begin, end = breaks[row] + 1, breaks[row + 1]
            if head is None or end - begin > LONGEST or any(mentions[place].type == TEST for place in inside):
                break
            if not inside and not RULE.fullmatch(text, begin, end):
                break
            columns = list(head.columns(text, begin, end))
            for place in inside:
                tests = [test for cell, test in columns if cell[0] <= mentions[place].begin < cell[1]]
                if tests:
                    yield place, Link(tests[0], SURE, "tables")
                elif place in links and links[place].parent in head.tests.values():
                    yield place, None


def head_of(text: str, line: tuple[int, int], mentions: Sequence[Mention], places: Sequence[int]) -> Head | None:
    """The head of a table that a line is: tests, each at the beginning of a cell of its own, and no result."""
    begin, end = line
    if len(places) < 2 or end - begin > LONGEST or any(mentions[place].type == RESULT for place in places):
        return None
    tests = [place for place in places if mentions[place].type == TEST]
    written = text[begin:end]
    parting = BAR if "|" in written else TAB if "\t" in written else GAP
    cells = split(text, begin, end, parting)
    if parting is GAP and is_one(cells):
        parting, cells = BLANK, split(text, begin, end, BLANK)
        if len(cells) != len(tests):
            return None
    begins = {cell[0]: place for place, cell in enumerate(cells)}
    columns = {begins[mentions[test].begin]: test for test in tests if mentions[test].begin in begins}
    return Head(begin, cells, parting, columns) if 1 < len(columns) == len(tests) else None


def is_one(cells: Cells) -> bool:
    """Whether no more than one cell has something in it."""
    return sum(begin < end for begin, end in cells) <= 1


def split(text: str, begin: int, end: int, parting: re.Pattern[str]) -> Cells:
    """Where the cells of a line begin and end, without the blanks round them, nor the bars round the line.

    A line of columns that is indented has an empty cell first, where other lines have their label.
    """
    line = text[begin:end]
    if parting in (BAR, BLANK):
        begin += len(line) - len(line.lstrip(" \t|"))
    end -= len(line) - len(line.rstrip(" \r" if parting is TAB else " \t\r|"))
    edges = [begin, *(edge for match in parting.finditer(text, begin, max(begin, end)) for edge in match.span()), end]
    cells = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        inner = text[first:last]
        first += len(inner) - len(inner.lstrip())
        cells.append((first, max(first, last - len(inner) + len(inner.rstrip()))))
    return cells
