"""What a prescription says, as numbers: "1-2 tabs PO q4-6h prn pain x 10d" is 1 to 2 tablets, 4 to 6 times a day, by mouth.

`SigReader.read` takes the texts of a drug's attributes and what stands between them; the words it knows are `rules/sig.tsv`.
What it is not sure of it leaves out: two doses that differ, "40 mg, then 20 mg" after the "then", a range of days.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from medtext.rulebook import rules_dir
from medtext.schema import Sig
from medtext.sig.said import BARE, COUNTED, FEW, MASS, Amount, Count, Said
from medtext.sig.shapes import PARTS
from medtext.sig.words import SigRule, SigWords, key, load_words, lowered

QUANTITIES = ("DOSAGE", "STRENGTH")
MINUTES = 1 / 48  # days; what is shorter is told in minutes
MOST_AT_ONCE = 20  # of a scheme that leaves no time of the day out: "100-62.5-25" are the strengths of three drugs
NEAR = 80  # characters before an item that are looked at
REMEMBERED = 1 << 12  # readings that are kept
NOTHING = Sig()
TIMES = ("often", "every", "each", "hourly", "week", "clock", "frequency", "moment", "od", "meals")
"""Shapes and kinds of words that say how often."""
ONE_ROUTE = ("patch", "enema")
"""Forms that have one route, also where they are not counted."""

Piece = tuple[str, str]
"""The type of a span, "" between spans, and the text."""
CHANGED = "changed"
"""The type of a piece that tells that the order is changed: of "q8h to q12h" the second is what is taken now."""

WEEKS = {"7": 1, "52": 7, "12": 30}
"""Days of the British "5/7", "2/52" and "3/12"."""
BRITISH = re.compile(r"(?:\bfor|[x×])\s*$|\b(?:b\.?d|t\.?d\.?s|q\.?d\.?s|o\.?d|o\.?m|o\.?n|mane|nocte)\b")
"""What stands before one of those that was not found as a duration, and is no date: "t.d.s. 5/7", "for 2/7"."""

WIDEST = {COUNTED: 50, MASS: 8, BARE: 3.5}
"""How many times its low end the high end of a range is at most; else the strengths of a product's two drugs are told."""

PERIODS = {
    "hourly": 1 / 24,
    "hrly": 1 / 24,
    "daily": 1,
    "nightly": 1,
    "weekly": 7,
    "wkly": 7,
    "monthly": 30,
    "yearly": 365,
    "annually": 365,
}
"""Days between what is done so often."""

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = re.compile(rf"\bq?({'|'.join(WEEK)})")
RANGE = re.compile(PARTS["to"])
WEIGHED = re.compile(r"\s?(?:m[cg]?g|µg|g|%)(?!\w)")
AND = re.compile(r"(?:\band|&|\+|\bplus)\s*(?:at\s|in\sthe\s|again\s|every\s|another\s)*$")
SPELT_OUT = re.compile(r"\([^)]*$")
UP_TO = re.compile(r"\bup\s+to\s*(?:every\s*)?$")
NOT_TAKEN = re.compile(r"(?:\b(?:in|per|with)|[<≤])\s*$")
STROKE = re.compile(r"(\d|[a-z]+)/\s?$")
"""Under a stroke is no dose ("mg/5 mL"), unless that divides two orders: "2 mg AM/1.5 mg PM"."""
MORE = re.compile(r"\b(?:extra|additional|another)\s*$")
"""Before what is taken beside what has been told: "40 mg daily, an extra 20 mg p.r.n."."""
BY = re.compile(r"\bby\s*$")
"""Before how much more or less is taken: "increase by 2 units every 3 days"."""
SPACED = re.compile(r"(?P<product>\d/)?\d[\d.,]*(?<=\d)\s$")
WORD_BEFORE = re.compile(r"([a-z]+)(?:\s+and)?[\s-]+$")
WORD_AFTER = re.compile(r"\s*(?!and|for|with|per|each|every|the)([a-z]{3,})")
LARGE = ("hundred", "thousand", "million", "quarter", "quarters", "thirds")
SMALL_HOURS = re.compile(r"[1-4]\s?a\.?m\.?")
"""What is hardly a time of the day: "500 mg 1 AM 2 PM" may be one in the morning and two in the afternoon."""
NUMBER_BEFORE = re.compile(r"(?<![\w.:/])(\d[\d.]*)\s*$")
"""Before a time of the day, a dose of its own that was not found: "20 AM 15 PM"."""
HOUR_BEFORE = re.compile(r"\d\s?[ap]\.?m\.?(?:[\s,/&]|and)*$")
OF_THEM = re.compile(r"\((?:[^()]{0,20}\s)?of\s(?:an?\s)?$")
"""Before the strength of what is broken: "25 mg (1/2 tab of 50 mg)"."""
OTHER_INTERVAL = re.compile(r"to\s+q")
AT = re.compile(r"(?:\bat|\()\s*$")
OTHER_TIME = re.compile(
    r"\b(?:over|every|q|in|after|within|at\sleast|up\sto|past|last|next|previous|each|than)\s*$|[<>]\s*$"
)
INHALED = re.compile(r"\binhaled?\s*$")
"""Before "2 doses" that are taken at a time."""
PER_TIME = re.compile(r"(?:/|per)\s*(?:h|hr|hour|min|minute)$")
BOLUS = re.compile(r"\b(?:bolus|load(?:ed|ing)?|push|ivp)\b")
"""Beside a rate, that a weight is given at once, and is not what the bag holds."""
PLUS = re.compile(r"(?:[,;+&]|\b(?:plus|and|with|w/))\s*(?:an?\s|the\s)?$")
"""Between a dose and a scale that is given as well: "20 units nightly plus sliding scale"."""
TAKEN = re.compile(r"\s*(?:p\.?\s?o\b|by\smouth|to\sbe\staken)")
SO_OFTEN = re.compile(
    r"\s*(?:p\.?\s?o\b|at\s|in\sthe|every|each|once|twice|q|[bt]\.?i?\.?d|daily|nightly|prn|h\.?s|mane\b|nocte?\b)"
)
"""Behind a number that was found as a frequency and is a dose: "three at bedtime", "1-2 qhs"."""
NOT_FOR = re.compile(r"\s*-?(?:ago|prior|before|later|earlier|old|pta|history|on|off|limit)\b")
LATER_BEFORE = re.compile(r"\b(?:then|may|can|could|will|to)\s*$")
LATER_BEHIND = re.compile(
    r"[^.;\n]{0,40}?\b(?:after|as\stol|in\s(?:\d|an?\b|one|two)|next|if|when|over|then|by\s(?!mouth))"
)
STEP_NUMBER = re.compile(r"\b(?:day|week|step|stage)\s*$")
DIGIT = re.compile(r"\d")
STEP = re.compile(r"[,;)]|\.\s")
GLUED = re.compile(
    r"(?:(?<=\dmg)|(?<=\d\smg)|(?<=\dmcg)|(?<=\dml)|(?<![a-z])(?:po|iv|im|sc|sq|bid|tid|qid|q\d{1,2}h|daily))"
    r"(?=(?:(?:po|iv|im|sc|sq|bid|tid|qid|daily|prn)(?:$|[^a-z]|bid|tid|qid|daily|prn|x\d)|q\d{1,2}h|x\s?\d))"
)
"""Where a blank was left out: "500mgPO", "BIDx10days", "Q6HPRN"."""
ARROW = re.compile(r"-{1,2}>|=>|→")
UNDER = re.compile(r"(?:/|\bper\b)\s*([\d.,]*)\s*([^\s/\d][^/]*)")


@dataclass(slots=True)
class Item:
    """One thing that is said, with the type and the text of the piece in which it is."""

    match: re.Match[str]
    type: str
    span: str

    def __getitem__(self, group: str) -> str:
        return self.match[group] or ""

    @property
    def begin(self) -> int:
        return self.match.start()

    @property
    def end(self) -> int:
        return self.match.end()

    @property
    def text(self) -> str:
        return self.match.group()

    @property
    def before(self) -> str:
        return self.match.string[max(0, self.begin - NEAR) : self.begin]

    @property
    def after(self) -> str:
        return self.match.string[self.end :]

    def since(self, end: int) -> str:
        """The text between `end` and it."""
        return self.match.string[end : self.begin]


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
        pieces = tuple((kind, unglued(lowered(piece))) for kind, piece in pieces)
        text = "".join(piece for _, piece in pieces)
        changing = any(kind == CHANGED for kind, _ in pieces)
        said, first = Said(changing=changing), None
        for found in self.words.item.finditer(text):
            if found.start() >= said.until:
                kind = found.lastgroup or ""
                at = found.start(f"{kind}_low") if kind in (COUNTED, MASS, BARE) else found.start()
                getattr(self, f"_{kind}")(said, Item(found, *_piece_at(pieces, at)))
            if said.altered and first is None:
                said, first = Said(), said
            elif said.over or said.altered:
                break
        return _agreed(_sig(first), _sig(said)) if first else _sig(said)

    def _scheme(self, said: Said, item: Item) -> None:
        parts = [self.words.number(part) or 0.0 for part in re.split(r"\s?[-+]\s?", item.text)]
        if not WEIGHED.match(item.after) and (max(parts) <= MOST_AT_ONCE or 0 in parts):
            said.scheme = tuple(parts)

    def _often(self, said: Said, item: Item) -> None:
        if item["often_slash"] and item.type in QUANTITIES:  # "200/wk" is a dose of 200
            self._so_many_a(said, item, "often_slash", self._days(item["often_period"]))
            return
        low = self._first(item, "often_low", "often_x", "often_slash")
        if low is None and (item["often_low"] or item["often_slash"]):
            return  # "0 times a day"
        if low is None:
            low = 2 if item.text.startswith("twice") else 3 if item.text.startswith("thrice") else 1
        high = self._first(item, "often_high") or (2 if item["often_twice"] else low)
        if item["often_slash"] and len(parts := RANGE.split(item["often_slash"])) == 2:
            low, high = float(parts[0]), float(parts[1])
        days = self._days(item["often_period"])
        self._count(said, item, low / days, high / days)

    def _clock(self, said: Said, item: Item) -> None:
        at = AT.search(item.before)
        behind = said.last == "moment" and not item.since(said.moment).strip(" ,")
        told = behind and not HOUR_BEFORE.search(item.before)  # "20 units AM 12 PM"
        if (told or SMALL_HOURS.fullmatch(item.text)) and said.amounts and not at:
            said.unsure.add("dose?")
        if said.last != "moment" or not at:
            said.moments.add(item.text)
            said.moment = item.end
            said.settle_dose()
            said.last = "moment"

    def _weeks(self, said: Said, item: Item) -> None:
        days = float(item["weeks_low"]) * WEEKS[item["weeks_of"]]
        if item["weeks_ly"]:
            self._count(said, item, 1 / days, 1 / days)
            return
        british = item["weeks_of"] == "52" or item["weeks_for"] or BRITISH.search(item.match.string, 0, item.begin)
        if item.type == "DURATION":
            told = bool(british) or all(count.high >= 1 for count in said.counts)  # not "weekly 2/7"
        else:
            told = bool(british and not item.type and (said.counts or said.moments))
        if told and not STEP_NUMBER.search(item.before):  # "day 4/7"
            said.days.append(days)

    def _span(self, said: Said, item: Item) -> None:
        days = self._days(item["span_unit"])
        told = item["span_how"] or item["span_course"] or (item.type == "DURATION" and days * 24 > 1)
        if (
            told
            and days > MINUTES
            and not (item["span_supply"] or OTHER_TIME.search(item.before) or NOT_FOR.match(item.after))
        ):
            low = 1.0 if item["span_low"] in ("a", "an") else self.words.number(item["span_low"])
            said.days.append(None if item["span_high"] or item["span_more"] or low is None else low * days)

    def _week(self, said: Said, item: Item) -> None:
        if item["week_from"]:
            first, last = (WEEK.index(item[end][:3]) for end in ("week_from", "week_to"))
            days = (last - first) % 7 + 1
        else:
            days = len(set(DAY.findall(item.text)))
        said.forget_daily()  # "daily on Mon, Wed and Fri"
        self._count(said, item, days / 7, days / 7)

    def _repeat(self, said: Said, item: Item) -> None:
        if item["repeat_doses"] and INHALED.search(item.before):
            item.type = "DOSAGE"
            self._so_many(said, item, "repeat_doses")
            return
        said.once = True  # "x2 doses"
        said.repeated = item.type in QUANTITIES

    def _hourly(self, said: Said, item: Item) -> None:
        days = {"h": 1 / 24, "w": 7, "m": 30}[item["hourly_unit"][0]]
        if item.type in QUANTITIES and days > 1 and not said.dosed():  # "50 weekly" is a dose of 50
            self._so_many_a(said, item, "hourly_low", days)
        elif item.type == "FREQUENCY" or days < 1 or said.dosed():
            self._interval(said, item, "hourly", days)

    def _so_many_a(self, said: Said, item: Item, number: str, days: float) -> None:
        self._so_many(said, item, number)
        self._count(said, item, 1 / days, 1 / days)

    def _so_many(self, said: Said, item: Item, number: str) -> None:
        amount = self._first(item, number)
        if amount is not None:
            said.amounts.append(Amount(amount, amount, "", BARE, item.type, item.match.end(number)))

    def _every(self, said: Said, item: Item) -> None:
        if item["every_unit"] or item.text.startswith("q"):  # "q6" is hours
            self._interval(said, item, "every", self._days(item["every_unit"] or "h"))

    def _each(self, said: Said, item: Item) -> None:
        self._count(said, item, *[1 / self._days(item["each_unit"])] * 2)

    def _cycle(self, said: Said, _item: Item) -> None:
        said.cycle = True

    def _dispensed(self, said: Said, item: Item) -> None:
        """ "#30", "2 refills", "from 10 mg to": nothing of it is a field."""

    _percent = _packaged = _combined = _changed = _dispensed

    def _former(self, said: Said, _item: Item) -> None:
        said.over = said.told()
        if not said.over:
            said.unsure.add("dose?")

    def _counted(self, said: Said, item: Item) -> None:
        unit = self._measured(said, item, COUNTED, self.words.counted)
        if unit in self.words.route_of:
            said.routes.add(self.words.route_of[unit])

    def _mass(self, said: Said, item: Item) -> None:
        if PER_TIME.search(item["mass_per"]):
            said.runs = not BOLUS.search(item.match.string)
        self._measured(said, item, MASS, self.words.mass)

    def _measured(self, said: Said, item: Item, kind: str, units: Mapping[str, str]) -> str:
        """Adds an amount that has a unit, and says which; "1 mg to 1 g" is none, with its two."""
        unit = units[key(item[f"{kind}_unit"])]
        if units.get(key(item[f"{kind}_first"]), unit) == unit:
            self._amount(said, item, kind, unit)
        return unit

    def _keyed(self, said: Said, item: Item) -> None:
        number, unit = self._first(item, "keyed_low"), key(item["keyed_unit"])
        if number is not None:
            kind = MASS if unit in self.words.mass else COUNTED
            name = self.words.mass.get(unit) or self.words.counted[unit]
            said.amounts.append(Amount(number, number, name, kind, "DOSAGE", item.end))

    def _number(self, said: Said, item: Item) -> None:
        if item.type == "FREQUENCY" and item.span.startswith(item.text) and SO_OFTEN.match(item.after):
            item.type = "DOSAGE"
        if item.type in QUANTITIES or (TAKEN.match(item.after) and not STEP_NUMBER.search(item.before)):
            item.type = item.type or "DOSAGE"
            self._amount(said, item, BARE, "")

    def _posed(self, said: Said, item: Item) -> None:
        unit, number = self.words.counted[key(item["posed_unit"])], self._first(item, "posed_low")
        split = item["posed_low"] in ("v", "x") and item.text not in item.span  # "tabs v. liquid", "tab x several days"
        if number is None or not item.type or split:  # "can I take it"
            said.forms.add(unit)
        else:
            high = self._first(item, "posed_high") or number
            said.amounts.append(Amount(number, high, unit, COUNTED, item.type, item.end))

    def _tees(self, said: Said, item: Item) -> None:
        number = float(item["tees_low"])
        said.amounts.append(Amount(number, number, "tablet", COUNTED, "DOSAGE", item.end))

    def _form(self, said: Said, item: Item) -> None:
        unit = self.words.counted[key(item.text)]
        said.forms.add(unit)
        if unit in ONE_ROUTE and unit in self.words.route_of:
            said.routes.add(self.words.route_of[unit])

    def _sig(self, said: Said, _item: Item) -> None:
        said.amounts.clear()  # what stands before it says which product, and how much of it is dispensed

    def _word(self, said: Said, item: Item) -> None:
        rule = self.words.meaning(item.text, item.type, item.span)
        if rule is None:
            return
        if rule.kind == "frequency":
            self._count(said, item, rule.amount(), rule.amount())
        elif rule.kind == "moment":
            self._moment(said, item, rule)
        elif rule.kind == "route":
            said.routes.add(rule.value)
        elif rule.kind in ("limit", "ceiling"):
            step = STEP.search(item.after)
            said.until = item.end + (step.start() if step else len(item.after))
            if rule.kind == "ceiling":
                self._limit(said, item)
        elif rule.kind == "stop":
            said.over = said.told()
        elif rule.kind == "altered":
            told, later = said.told(), self._later(said, item)
            said.over, said.altered = told and later, told and not later
        elif rule.kind == "change":
            self._change(said, item)
        elif rule.kind == "divided":
            said.unsure.add("dose?")
            said.forget_daily()
            if rule.value:
                self._count(said, item, rule.amount(), rule.amount())
        elif rule.kind == "scale":
            said.over = said.dosed() and bool(PLUS.search(item.before))
            said.unsure.update(() if said.over else ("dose?",))
        elif rule.kind in ("dose?", "times?"):
            said.unsure.add(rule.kind)
        else:
            setattr(said, rule.kind, True)
        said.last = rule.kind

    def _limit(self, said: Said, item: Item) -> None:
        """Drops the amount right before a limit that has none of its own: "3 g max daily"."""
        limit = item.match.string[item.end : said.until]
        if said.amounts and not item.since(said.amounts[-1].end).strip(" (") and not DIGIT.search(limit):
            said.amounts.pop()

    def _change(self, said: Said, item: Item) -> None:
        """Drops what is told anew behind an arrow: the route, how often ("5 mg BID -> TID"), else all.

        Behind "x 5 days" an arrow leads to the next step.
        """
        said.over = bool(said.days)
        if said.over:
            return
        found = self.words.item.match(item.after.lstrip())
        kind = (found.lastgroup or "") if found else ""
        if found and kind == "word" and (rule := self.words.meaning(found.group(), "", "")):
            kind = rule.kind
        if kind == "route":
            said.routes.clear()
        elif kind in TIMES:
            said.forget_times()
        else:
            said.forget()

    def _later(self, said: Said, item: Item) -> bool:
        """Whether "increase to" tells of a later step, and not of what replaces what stands before it."""
        return bool(said.days or LATER_BEFORE.search(item.before) or LATER_BEHIND.match(item.after))

    def _moment(self, said: Said, item: Item, rule: SigRule) -> None:
        names = set(rule.value.split())
        number = NUMBER_BEFORE.search(item.before)
        if number and said.amounts and said.amounts[-1].end < said.moment and float(number[1]) != said.amounts[-1].low:
            said.unsure.add("dose?")
        said.moment = item.end
        said.settle_dose()
        on_top = AND.search(item.before) and said.last != "moment" and not SPELT_OUT.search(item.before)
        if on_top and (said.counts or said.meals) and not names & said.moments:
            said.more += 1
        said.moments |= names

    def _interval(self, said: Said, item: Item, name: str, days: float) -> None:
        low = self._first(item, f"{name}_low")
        high = self._first(item, f"{name}_high") or low
        if low is None or high is None:
            return
        if said.changing:  # "change … q8h to q12h"
            low = high
        elif OTHER_INTERVAL.search(item.text) and high >= 2 * low:  # "q12 to q24h": a change, or a wide range
            said.unsure.add("times?")
            return
        if days < MINUTES:  # "every 5 minutes": nobody does that all day
            said.unsure.add("times?")
        else:
            self._count(said, item, 1 / (max(low, high) * days), 1 / (min(low, high) * days))

    def _count(self, said: Said, item: Item, low: float, high: float) -> None:
        before = said.counts[-1] if said.counts else None
        said.last = "frequency"
        if high < 1 and said.moments and said.amounts and said.amounts[-1].end > said.moment:
            said.unsure.update(("dose?", "times?"))  # "one tablet each morning, two on Sundays"
        if before and RANGE.fullmatch(item.since(before.end)):
            if said.changing:  # "change … q8h to q12h"
                before.low, before.high = low, high
            else:  # "b.i.d. to t.i.d."
                before.low, before.high = min(before.low or low, low), max(before.high, high)
            before.end = item.end
            return
        if said.days and before and (before.low, before.high) != (low, high):
            said.over = True  # "t.i.d. for 2 days, b.i.d. for 5 days"
            return
        said.counts.append(Count(None if UP_TO.search(item.before) else low, high, item.end))

    def _amount(self, said: Said, item: Item, kind: str, unit: str) -> None:
        low = self._first(item, f"{kind}_low")
        high = self._first(item, f"{kind}_high") or low
        if self._goes_on(item, kind, high):
            said.unsure.add("dose?")
            return
        suffix, daily, taken = self._under(item[f"{kind}_per"] if kind != BARE else "")
        stroke = STROKE.search(item.before)
        if (stroke and not self.words.known(stroke[1])) or NOT_TAKEN.search(item.before):
            return
        if low is None or high is None or low > high or not taken:
            return
        if "-" in item.text and high > WIDEST[kind] * low:
            return  # "Percocet 5-325"
        if said.amounts and OF_THEM.search(item.before):
            return
        if MORE.search(item.before) and said.told():
            said.over = True
            return
        if BY.search(item.before):
            said.unsure.update(("dose?", "times?"))
            return
        if kind == BARE and said.amounts and said.moment > said.amounts[-1].end and low != said.amounts[-1].low:
            said.unsure.add("dose?")  # "22 units AM, 18 PM"
        if said.amounts and not (kind == BARE and high <= FEW) and self._told_anew(said, item, unit):  # not "40 mg (2)"
            return
        if kind == MASS and item["mass_times"]:
            low, high = low * float(item["mass_times"]), high * float(item["mass_times"])
        first = None if UP_TO.search(item.before) else low
        if said.days and said.dosed() and all((first, high) != (one.low, one.high) for one in said.amounts):
            said.over = True  # "40 mg for 3 days, 30 mg for 3 days", "1 tablet for 3 days. 6 tablets"
            return
        said.amounts.append(Amount(first, high, unit + suffix, kind, item.type, item.end, daily))

    def _told_anew(self, said: Said, item: Item, unit: str) -> bool:
        """Whether an amount is the one before it told anew: "5 mL (1 tsp)", "650 mg = 2 tab", "50 mg/kg q24h (420 mg)".

        What is reckoned from a weight ("15 mg/kg = 126 mg") is told in its stead.
        """
        before = said.amounts[-1]
        between, weighed = item.since(before.end).strip(), "/" in before.unit
        if between == "=" and weighed and not before.daily:
            item.type = said.amounts.pop().type
            return False
        volume = not between and (before.unit, unit) == ("unit", "mL")  # "18 units 0.18 mL"
        return volume or between in ("(", "=") or (weighed and between.endswith("("))

    def _goes_on(self, item: Item, kind: str, high: float | None) -> bool:
        """Whether the number is part of a longer one that is not understood: "1 000 mg", "one sixty mg", "1 bottle".

        Not behind a product ("70/30 40 units"), nor one that counts what stands before it ("50 1-2 q6h").
        """
        spaced = SPACED.search(item.before) if kind != COUNTED else None
        if spaced and not (spaced["product"] or (kind == BARE and high and high <= FEW)):
            return True
        word = WORD_BEFORE.search(item.before)
        if word and word[1] in self.words.numbers and item.text[0].isalpha():
            return True
        after = WORD_AFTER.match(item.after)
        inside = kind == BARE and after and f"{item.text}{after.group()}" in item.span
        return bool(after and (after[1] in LARGE or (inside and not self.words.known(after[1]))))

    def _under(self, text: str) -> tuple[str, bool, bool]:
        """Of what stands under the stroke: what of it belongs to the unit, if it is a day, if the amount is a dose."""
        suffix, daily = "", False
        for number, unit in UNDER.findall(text):
            what = self.words.per.get(key(number + unit), self.words.per.get(key(unit)))
            if what is None or what in ("hour", "minute") or (number and what != "day"):
                return "", False, False
            daily = daily or what == "day"
            suffix += f"/{what}" if what not in ("day", "") else ""
        return suffix, daily, True

    def _first(self, item: Item, *groups: str) -> float | None:
        for group in groups:
            if written := item.match[group]:
                return self.words.number(written)
        return None

    def _days(self, unit: str) -> float:
        return 1.0 if unit.startswith("24") else PERIODS.get(unit) or self.words.times[key(unit)]


def _sig(said: Said) -> Sig:
    if said.od:
        said.settle_od()
    said.settle_dispensed()
    dose, times = said.dose(), said.per_day()
    return Sig(*dose, *times, said.route(), said.needed, duration_days=said.duration())


def _agreed(now: Sig, altered: Sig) -> Sig:
    """What is taken now, without what may be altered at once: of "1 mg b.d. (increase to 2 mg b.d.)" the dose."""
    before, behind = ((sig.dose_low, sig.dose_high, sig.dose_unit) for sig in (now, altered))
    if behind[1] and behind != before:
        now = replace(now, dose_low=None, dose_high=None, dose_unit="")
    if altered.per_day_high and (altered.per_day_low, altered.per_day_high) != (now.per_day_low, now.per_day_high):
        now = replace(now, per_day_low=None, per_day_high=None)
    return now


def unglued(text: str) -> str:
    """Text in lower case with the blanks that were left out; offsets behind them change."""
    return GLUED.sub(r"\g<0> ", ARROW.sub(r" \g<0> ", text))


def _piece_at(pieces: Sequence[Piece], offset: int) -> Piece:
    for piece in pieces:
        offset -= len(piece[1])
        if offset < 0:
            return piece
    return "", ""


@cache
def sig_reader(rules: str = "") -> SigReader:
    """The reader of the rules folder `rules`, the shipped one where it is empty. Raises `RuleError`."""
    return SigReader(load_words(rules_dir(rules)))
