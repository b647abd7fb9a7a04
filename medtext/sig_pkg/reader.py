"""What a prescription says, as numbers: "1-2 tabs PO q4-6h prn pain x 10d" is 1 to 2 tablets, 4 to 6 times a day, by mouth.

`SigReader.read` takes the texts of a drug's attributes and what stands between them; the words it knows are `rules/sig.tsv`.
What it is not sure of it leaves out: two doses that differ, "40 mg, then 20 mg" after the "then", a range of days.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from medtext.sig_rules import TO, SigRule, SigWords, key, load_words

from medtext.rulebook import rules_dir
from medtext.schema import Sig

RULES = "medtext_rules"
"""The name in a pipeline's `meta` of the rules folder that it was built with."""
REMEMBERED = 1 << 12  # readings that are kept
DIGITS = 4  # of times a day and of days
NOTHING = Sig()

Piece = tuple[str, str]
"""The type of a span, "" between spans, and the text."""

COUNTED, MASS, BARE = "counted", "mass", "number"
SAME_AS = {frozenset(("NEB", "INH")): "NEB", frozenset(("TD", "TOP")): "TD", frozenset(("NAS", "INH")): "NAS"}
"""Two routes that are said of one."""
WEEKS = {"7": 1, "52": 7, "12": 30}
"""Days of the British "5/7", "2/52" and "3/12"."""

RANGE = re.compile(TO)
AND = re.compile(r"(?:\band|&|\+|\bplus)\s*(?:at\s|in\sthe\s|again\s|every\s|another\s)*$")
UP_TO = re.compile(r"\bup\s+to\s*(?:every\s*)?$")
NOT_TAKEN = re.compile(r"(?:\bin\s*|\w/\s?)$")
OTHER_TIME = re.compile(
    r"\b(?:over|every|q|in|after|within|at\sleast|up\sto|past|last|previous|each|than)\s*$|[<>]\s*$"
)
BY_MOUTH = re.compile(r"\s*(?:p\.?\s?o\b|by\smouth)")
NOT_FOR = re.compile(r"\s*-?(?:ago|prior|before|later|earlier|old|pta|history)\b")
STEP = re.compile(r"[,;)]|\.\s")
UNDER = re.compile(r"/\s*([\d.,]*)\s*([^\s/\d][^/]*)")


@dataclass(slots=True)
class Amount:
    """A quantity: which kind of unit it has, the type of span it stands in, and whether it is a whole day's."""

    low: float | None
    high: float
    unit: str
    kind: str
    type: str
    end: int
    daily: bool = False


@dataclass(slots=True)
class Count:
    """Times a day, and where they stand."""

    low: float | None
    high: float
    begin: int
    end: int


@dataclass(slots=True)
class Said:
    """What has been read of one prescription."""

    amounts: list[Amount] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    moments: set[str] = field(default_factory=set)
    days: list[float | None] = field(default_factory=list)
    routes: set[str] = field(default_factory=set)
    forms: set[str] = field(default_factory=set)
    scheme: tuple[float, ...] = ()
    more: int = 0  # moments on top of a count: "t.i.d. and h.s."
    meals: bool = False
    needed: bool = False
    once: bool = False
    od: bool = False  # once a day, or the right eye
    unsure: set[str] = field(default_factory=set)  # "dose?", "times?"
    last: str = ""  # the kind of word before this one
    until: int = 0  # where a limit ("max 3 g a day") ends
    over: bool = False  # a later step has begun


class SigReader:
    """Reads prescriptions with the words of a rules folder; readings of equal pieces are remembered.

    Args:
        words: what stands in `rules/sig.tsv`.
    """

    def __init__(self, words: SigWords) -> None:
        self.words = words
        self.read: Callable[[tuple[Piece, ...]], Sig] = lru_cache(REMEMBERED)(self._read)
        """The `Sig` of a drug's pieces in the order of the note; one without fields where they say nothing sure."""

    def _read(self, pieces: tuple[Piece, ...]) -> Sig:
        text = "".join(piece.lower() for _, piece in pieces)
        said = Said()
        for found in self.words.item.finditer(text):
            if found.start() >= said.until:
                kind = found.lastgroup or ""
                at = found.start(f"{kind}_low") if kind in (COUNTED, MASS, BARE) else found.start()
                getattr(self, f"_{kind}")(said, found, *_piece_at(pieces, at))
            if said.over:
                break
        if said.od:
            self._od(said)
        low, high, unit = _dose(said)
        often, most = _per_day(said)
        return Sig(low, high, unit, often, most, _route(said), said.needed, duration_days=_days(said))

    def _od(self, said: Said) -> None:
        """Decides what "OD" was."""
        drops = "drop" in said.forms or any(amount.unit == "drop" for amount in said.amounts) or "OPH" in said.routes
        if drops and (said.counts or said.moments):
            said.routes.add("OPH")
        else:
            said.counts.append(Count(1.0, 1.0, 0, 0))

    def _scheme(self, said: Said, found: re.Match[str], _type: str, _span: str) -> None:
        parts = re.split(r"\s?-\s?", found.group())
        said.scheme = tuple(self.words.number(part) or 0.0 for part in parts)

    def _often(self, said: Said, found: re.Match[str], kind: str, span: str) -> None:
        if found["often_slash"] and kind in ("DOSAGE", "STRENGTH"):  # "200/wk" is a dose of 200
            self._so_many_a(said, found, "often_slash", kind, self._days(found["often_period"]))
            return
        low = self._first(found, "often_low", "often_x", "often_slash")
        if low is None:
            low = 2 if found.group().startswith("twice") else 3 if found.group().startswith("thrice") else 1
        high = self._first(found, "often_high") or (2 if found["often_twice"] else low)
        if found["often_slash"] and len(parts := RANGE.split(found["often_slash"])) == 2:
            low, high = float(parts[0]), float(parts[1])
        days = self._days(found["often_period"])
        self._count(said, found, low / days, high / days)

    def _clock(self, said: Said, found: re.Match[str], _type: str, _span: str) -> None:
        if said.last != "moment" or not re.search(r"(?:\bat|\()\s*$", found.string[: found.start()]):
            said.moments.add(found.group())
            said.last = "moment"

    def _weeks(self, said: Said, found: re.Match[str], kind: str, span: str) -> None:
        if kind in ("DURATION", "") and (kind or said.counts or said.moments):
            said.days.append(float(found["weeks_low"]) * WEEKS[found["weeks_of"]])

    def _span(self, said: Said, found: re.Match[str], kind: str, span: str) -> None:
        days = self._days(found["span_unit"])
        told = found["span_how"] or found["span_course"] or kind == "DURATION"
        before, after = found.string[: found.start()], found.string[found.end() :]
        if not told or found["span_supply"] or OTHER_TIME.search(before) or NOT_FOR.match(after) or days < 1 / 48:
            return
        low, high = self.words.number(found["span_low"]), found["span_high"]
        said.days.append(None if high or low is None else low * days)

    def _repeat(self, said: Said, found: re.Match[str], _type: str, _span: str) -> None:  # "x2 doses"
        said.once = True

    def _hourly(self, said: Said, found: re.Match[str], kind: str, span: str) -> None:
        days = {"h": 1 / 24, "w": 7, "m": 30}[found["hourly_unit"][0]]
        if kind in ("DOSAGE", "STRENGTH") and days > 1:  # "50 weekly" is a dose of 50
            self._so_many_a(said, found, "hourly_low", kind, days)
        elif kind == "FREQUENCY" or days < 1:
            self._interval(said, found, "hourly", days)

    def _so_many_a(self, said: Said, found: re.Match[str], number: str, kind: str, days: float) -> None:
        amount = self._first(found, number)
        if amount is not None:
            said.amounts.append(Amount(amount, amount, "", BARE, kind, found.end(number)))
        self._count(said, found, 1 / days, 1 / days)

    def _every(self, said: Said, found: re.Match[str], _type: str, _span: str) -> None:
        if found["every_unit"] or found.group().startswith("q"):  # "q6" is hours
            self._interval(said, found, "every", self._days(found["every_unit"] or "h"))

    def _each(self, said: Said, found: re.Match[str], _type: str, _span: str) -> None:
        self._count(said, found, *[1 / self._days(found["each_unit"])] * 2)

    def _dispensed(self, said: Said, found: re.Match[str], kind: str, span: str) -> None:
        pass  # "#30", "2 refills"

    _percent = _combined = _next = _dispensed

    def _counted(self, said: Said, found: re.Match[str], kind: str, span: str) -> None:
        unit = self.words.counted[key(found["counted_unit"])]
        self._amount(said, found, COUNTED, unit, kind)
        said.routes |= {self.words.route_of[unit]} if unit in self.words.route_of else set()

    def _mass(self, said: Said, found: re.Match[str], kind: str, span: str) -> None:
        self._amount(said, found, MASS, self.words.mass[key(found["mass_unit"])], kind)

    def _number(self, said: Said, found: re.Match[str], kind: str, span: str) -> None:
        if kind in ("DOSAGE", "STRENGTH") or BY_MOUTH.match(found.string, found.end()):
            self._amount(said, found, BARE, "", kind or "DOSAGE")

    def _form(self, said: Said, found: re.Match[str], _type: str, _span: str) -> None:
        unit = self.words.counted[key(found.group())]
        said.forms.add(unit)
        if unit == "patch":
            said.routes.add(self.words.route_of[unit])

    def _sig(self, said: Said, _found: re.Match[str], _type: str, _span: str) -> None:
        said.amounts.clear()  # what stands before it says which product, and how much of it is dispensed

    def _word(self, said: Said, found: re.Match[str], kind: str, span: str) -> None:
        rule = self.words.meaning(found.group(), kind, span)
        if rule is None:
            return
        if rule.kind == "frequency":
            self._count(said, found, rule.amount(), rule.amount())
        elif rule.kind == "moment":
            self._moment(said, found, rule)
        elif rule.kind == "route":
            said.routes.add(rule.value)
        elif rule.kind == "limit":
            end = STEP.search(found.string, found.end())
            said.until = end.start() if end else len(found.string)
        elif rule.kind == "stop":
            said.over = bool(said.amounts or said.counts or said.moments)
        elif rule.kind in ("dose?", "times?", "change"):
            said.unsure.add("dose?" if rule.kind == "change" else rule.kind)
        else:
            setattr(said, rule.kind, True)
        said.last = rule.kind

    def _moment(self, said: Said, found: re.Match[str], rule: SigRule) -> None:
        names = set(rule.value.split())
        on_top = AND.search(found.string[: found.start()]) and said.last != "moment"
        if on_top and (said.counts or said.meals) and not names & said.moments:
            said.more += 1
        said.moments |= names

    def _interval(self, said: Said, found: re.Match[str], name: str, days: float) -> None:
        low = self._first(found, f"{name}_low")
        high = self._first(found, f"{name}_high") or low
        if low is None or high is None:
            return
        if days < 1 / 48:  # "every 5 minutes": nobody does that all day
            said.unsure.add("times?")
        else:
            self._count(said, found, 1 / (max(low, high) * days), 1 / (min(low, high) * days))

    def _count(self, said: Said, found: re.Match[str], low: float, high: float) -> None:
        before = said.counts[-1] if said.counts else None
        said.last = "frequency"
        if before and RANGE.fullmatch(found.string[before.end : found.start()]):  # "b.i.d. to t.i.d."
            before.low, before.high, before.end = min(before.low or low, low), max(before.high, high), found.end()
            return
        up_to = UP_TO.search(found.string[: found.start()])
        said.counts.append(Count(None if up_to else low, high, found.start(), found.end()))

    def _amount(self, said: Said, found: re.Match[str], kind: str, unit: str, type_: str) -> None:
        before = found.string[: found.start()]
        low = self._first(found, f"{kind}_low")
        high = self._first(found, f"{kind}_high") or low
        suffix, daily, taken = self._under(found[f"{kind}_per"] if kind != BARE else "")
        if low is None or high is None or low > high or not taken or NOT_TAKEN.search(before):
            return
        if said.amounts and re.fullmatch(r"\s*\(\s*", before[said.amounts[-1].end :]):  # "5 mL (1 tsp)"
            return
        if kind == MASS and found["mass_times"]:
            low, high = low * float(found["mass_times"]), high * float(found["mass_times"])
        first = None if UP_TO.search(before) else low
        said.amounts.append(Amount(first, high, unit + suffix, kind, type_, found.end(), daily))

    def _under(self, text: str | None) -> tuple[str, bool, bool]:
        """Of what stands under the stroke: what of it belongs to the unit, if it is a day, if the amount is a dose."""
        suffix, daily = "", False
        for number, unit in UNDER.findall(text or ""):
            what = self.words.per.get(key(number + unit), self.words.per.get(key(unit)))
            if what is None or what == "hour" or (number and what != "day"):
                return "", False, False
            daily = daily or what == "day"
            suffix += f"/{what}" if what not in ("day", "") else ""
        return suffix, daily, True

    def _first(self, found: re.Match[str], *groups: str) -> float | None:
        return next((self.words.number(found[group]) for group in groups if found[group]), None)

    def _days(self, unit: str) -> float:
        named = {"daily": 1.0, "nightly": 1.0, "weekly": 7.0, "monthly": 30.0}
        return 1.0 if unit.startswith("24") else named.get(unit) or self.words.times[key(unit)]


def _piece_at(pieces: Sequence[Piece], offset: int) -> Piece:
    for piece in pieces:
        offset -= len(piece[1])
        if offset < 0:
            return piece
    return "", ""


def _dose(said: Said) -> tuple[float | None, float | None, str]:
    """Low, high and unit of the one dose that is said; nothing where doses differ."""
    chosen = [] if "dose?" in said.unsure else _doses(said)
    doses = {(amount.low, amount.high, amount.unit) for amount in chosen}
    divided = any(amount.daily for amount in chosen) and bool(said.counts or said.moments)
    if len(doses) != 1 or divided or (any(amount.daily and "/" in amount.unit for amount in chosen)):
        return None, None, ""
    return doses.pop()


def _doses(said: Said) -> list[Amount]:
    """The amounts that say how much is taken: what is counted out before a mass, which may be a product's strength."""
    of = {kind: [amount for amount in said.amounts if amount.kind == kind] for kind in (COUNTED, MASS, BARE)}
    if of[COUNTED]:
        return of[COUNTED]
    form = next(iter(said.forms)) if len(said.forms) == 1 else ""
    bare = [amount for amount in of[BARE] if amount.type == "DOSAGE"]
    if said.scheme:
        return _scheme_doses(said, of[MASS], form)
    if bare and (form or not any(amount.type == "DOSAGE" for amount in of[MASS])):
        return [Amount(amount.low, amount.high, form, BARE, "DOSAGE", amount.end) for amount in bare]
    taken = [amount for amount in of[MASS] if amount.type == "DOSAGE"]
    often = said.counts or said.moments or said.needed or said.once or said.days or said.routes
    return taken or ((of[MASS] or of[BARE]) if often and not said.forms else [])


def _scheme_doses(said: Said, masses: list[Amount], form: str) -> list[Amount]:
    """Of "1-0-1": one tablet, or the mass that one of them has; nothing where it is not the same each time."""
    each = {part for part in said.scheme if part}
    if len(each) != 1:
        return []
    one = each.pop()
    if masses and one == 1 and not form:
        return masses
    return [Amount(one, one, form, BARE, "", 0)] if form or not said.amounts else []


def _per_day(said: Said) -> tuple[float | None, float | None]:
    """Times a day, low and high."""
    if "times?" in said.unsure:
        return None, None
    if said.scheme:
        times = float(sum(part > 0 for part in said.scheme))
        return times or None, times or None
    counts = {(count.low, count.high) for count in said.counts}
    if any(amount.daily for amount in _doses(said)) and not counts and not said.moments:
        counts.add((1.0, 1.0))
    if not counts and said.moments:
        times = float(len(said.moments) + 3 * (said.meals and said.more > 0))
        return times, times
    if len(counts) != 1:
        return None, None
    low, high = counts.pop()
    if said.moments and not said.more and 1 <= high < len(said.moments):
        return None, None
    return _rounded(None if low is None else low + said.more), _rounded(high + said.more)


def _days(said: Said) -> float | None:
    """The one duration that is said; with several, each is a step of a taper unless the dose is the same throughout."""
    one = len(set(said.days)) == 1 and (len(said.days) == 1 or bool(_dose(said)[1]))
    return _rounded(said.days[0]) if one else None


def _route(said: Said) -> str:
    routes = frozenset(said.routes)
    return SAME_AS.get(routes) or (next(iter(routes)) if len(routes) == 1 else "")


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, DIGITS)


@cache
def sig_reader(rules: str = "") -> SigReader:
    """The reader of the rules folder `rules`, the shipped one where it is empty. Raises `RuleError`."""
    return SigReader(load_words(rules_dir(rules)))
