"""What has been read of one prescription, and what of it is sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

COUNTED, MASS, BARE = "counted", "mass", "number"  # kinds of amounts: counted out, weighed, a number alone
FEW = 4
"""Of a form that has no unit of its own beside it: more are the product's strength without its unit, as in "Lasix tab 40"."""
DISPENSED = 10  # of things that are counted one by one: nobody takes as many at a time
WHOLE = ("tablet", "capsule", "pill", "patch", "suppository", "lozenge", "packet", "sachet", "vial", "ampule")
PACKED = 100  # mL, where less is taken
TUBE = 15  # g or mL of what is put on the skin: as much is not taken at once
CYCLE = 1 / 6  # times a day: what is done less often than every six days may be a cycle
SMALL = ("drop", "puff", "spray")  # of which the volume beside them is what the bottle holds
DIGITS = 4  # of times a day and of days
SAME_AS = {
    frozenset(("NEB", "INH")): "NEB",
    frozenset(("TD", "TOP")): "TD",
    frozenset(("NAS", "INH")): "NAS",
    frozenset(("IVT", "OPH")): "IVT",
}
"""Two routes that are said of one."""


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
    """Times a day, and where that ends."""

    low: float | None
    high: float
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
    smeared: bool = False  # on the skin
    needed: bool = False
    once: bool = False
    repeated: bool = False  # "x 2", found as a dose: two of them where a frequency is said as well, or twice
    runs: bool = False  # so much an hour is said, and a weight is what the bag holds
    cycle: bool = False  # days of a cycle are said, and "q21d" is how long that is
    od: bool = False  # once a day, or the right eye
    unsure: set[str] = field(default_factory=set)  # "dose?", "times?"
    last: str = ""  # the kind of word before this one
    moment: int = 0  # where the last time of the day ends
    until: int = 0  # where a limit ("max 3 g a day") ends
    over: bool = False  # a later step has begun
    altered: bool = False  # what follows may be taken instead
    changing: bool = False  # a verb before the drug says that the order is changed
    changes: int = 0  # arrows behind something that is told

    def settle_od(self) -> None:
        """Decides what "OD" was: the right eye where another frequency is said, or drops and a time of the day."""
        drops = "drop" in self.forms or any(amount.unit == "drop" for amount in self.amounts) or "OPH" in self.routes
        if self.counts or (drops and self.moments):
            self.routes.add("OPH")
        else:
            self.counts.append(Count(1.0, 1.0, 0))

    def settle_dispensed(self) -> None:
        """Where a few are taken, "30 tablets" is what is dispensed, and says the form; where little, "500 mL"."""
        few = [one for one in self.amounts if one.kind != MASS and one.type == "DOSAGE" and one.high < DISPENSED]
        many = [one for one in self.amounts if one.kind == COUNTED and one.unit in WHOLE and one.high >= DISPENSED]
        if few and many:
            self.forms.update(one.unit for one in many)
            self.amounts = [one for one in self.amounts if one not in many]
        packs = self._packs()
        self.amounts = [one for one in self.amounts if one not in packs]

    def _packs(self) -> list[Amount]:
        """The amounts that a bottle or a tube holds."""
        volumes = [one for one in self.amounts if one.unit == "mL" and one.type == "DOSAGE"]
        if any(one.unit in SMALL for one in self.amounts):
            return volumes
        if self.smeared:
            return [one for one in self.amounts if one.unit in ("g", "mL") and one.high >= TUBE]
        large = [one for one in volumes if one.high >= PACKED]
        return large if len(large) < len(volumes) else []

    def forget_daily(self) -> None:
        """Drops that it is once a day, where what follows says how often in that day or on which days."""
        self.counts = [count for count in self.counts if not count.low == count.high == 1]

    def settle_dose(self) -> None:
        """What was told with a time of its own is taken: "10 mg at 8 a.m., 5 mg at 4 p.m."."""
        if self.amounts and self.amounts[-1].kind == MASS and not self.forms:
            self.amounts[-1].type = "DOSAGE"

    def forget(self) -> None:
        """Drops what has been read but the form: what follows is taken instead, as in "40 mg b.i.d. -> 20 mg daily".

        Of a chain, "40 -> 30 -> 20", nobody knows where in it the patient is.
        """
        self.changes += self.told()
        self.forget_times()
        for said in (self.amounts, self.routes, self.unsure):
            said.clear()
        self.scheme, self.once, self.repeated = (), False, False
        if self.changes > 1:
            self.unsure.add("dose?")

    def forget_times(self) -> None:
        """Drops how often, and for how long: "25 mg b.i.d. -> t.i.d."."""
        for said in (self.counts, self.moments, self.days):
            said.clear()
        self.unsure.discard("times?")
        self.more = 0
        self.meals = self.needed = self.od = False

    def told(self) -> bool:
        """Whether how much is said, or how often."""
        return bool(self.amounts or self.counts or self.moments)

    def dosed(self) -> bool:
        """Whether an amount is said that can be no strength."""
        return any(amount.type == "DOSAGE" for amount in self.amounts)

    def dose(self) -> tuple[float | None, float | None, str]:
        """Low, high and unit of the one dose that is said; nothing where doses differ."""
        chosen = [] if "dose?" in self.unsure or (self.repeated and self.counts) else self._doses()
        if self.runs and not (self.counts or self.moments or self.once):
            chosen = [amount for amount in chosen if amount.kind != MASS]
        doses = {(amount.low, amount.high, amount.unit) for amount in chosen}
        divided = any(amount.daily for amount in chosen) and bool(self.counts or self.moments)
        if len(doses) != 1 or divided or (any(amount.daily and "/" in amount.unit for amount in chosen)):
            return None, None, ""
        return doses.pop()

    def _doses(self) -> list[Amount]:
        """The amounts that say how much is taken: what is counted out before a mass, which may be a product's strength."""
        of = {kind: [amount for amount in self.amounts if amount.kind == kind] for kind in (COUNTED, MASS, BARE)}
        if any(amount.type == "DOSAGE" for amount in of[MASS]):  # "a 3 mL pen: inject 24 units"
            of[COUNTED] = [amount for amount in of[COUNTED] if amount.type != "STRENGTH"]
        if of[COUNTED]:
            return of[COUNTED]
        form = next(iter(self.forms)) if len(self.forms) == 1 else ""
        bare = _last_counts([amount for amount in of[BARE] if amount.type == "DOSAGE"])
        if self.scheme:
            return self._scheme_doses(of[MASS], form)
        taken = [amount for amount in of[MASS] if amount.type == "DOSAGE"]
        if bare and (form or not taken or _counts(bare, taken)):
            return [
                replace(amount, unit=form if of[MASS] or amount.high <= FEW else "", daily=False) for amount in bare
            ]
        often = self.counts or self.moments or self.needed or self.once or self.days or self.routes
        twice = len(of[MASS]) > 1 and len({(one.low, one.high, one.unit) for one in of[MASS]}) == 1  # "40 mg, 40 mg"
        return taken or ((of[MASS] or of[BARE]) if often and (twice or not self.forms) else [])

    def _scheme_doses(self, masses: list[Amount], form: str) -> list[Amount]:
        """Of "1-0-1": one tablet, or the mass that one of them has; nothing where it is not the same each time."""
        each = {part for part in self.scheme if part}
        if len(each) != 1:
            return []
        one = each.pop()
        if masses and one == 1 and not form:
            return masses
        return [Amount(one, one, form, BARE, "", 0)] if form or not self.amounts else []

    def per_day(self) -> tuple[float | None, float | None]:
        """Times a day, low and high."""
        if "times?" in self.unsure:
            return None, None
        if self.scheme:
            times = float(sum(part > 0 for part in self.scheme))
            return times or None, times or None
        counted = [count for count in self.counts if not (self.cycle and count.high < CYCLE)]
        counts, doses = {(count.low, count.high) for count in counted}, self._doses()
        if any(amount.daily for amount in doses) and not counts and not self.moments:
            counts.add((1.0, 1.0))
        if not counts and self.moments:
            times = float(len(self.moments) + 3 * (self.meals and self.more > 0))
            return times, times
        if len(counts) != 1:
            return None, None
        low, high = counts.pop()
        if self.meals and high == 3 + self.more:  # "after meals and at bedtime (q.i.d.)"
            return low, high
        if self.moments and not self.more and 1 <= high < len(self.moments):
            return None, None
        if high < 1 and len({amount.high for amount in doses}) > 1:  # "5 mg M W F, 2.5 mg Tu Th Sa"
            return None, None
        return _rounded(None if low is None else low + self.more), _rounded(high + self.more)

    def duration(self) -> float | None:
        """The one duration that is said; with several, each is a step of a taper unless the dose is the same throughout."""
        one = len(set(self.days)) == 1 and (len(self.days) == 1 or bool(self.dose()[1]))
        return _rounded(self.days[0]) if one else None

    def route(self) -> str:
        routes = frozenset(self.routes)
        return SAME_AS.get(routes) or (next(iter(routes)) if len(routes) == 1 else "")


def _counts(bare: Sequence[Amount], masses: Sequence[Amount]) -> bool:
    """Whether numbers without a unit count what masses are the strength of: "500 mg 2 b.i.d.", "40 mg, take ½"."""
    return bare[-1].high < 1 or (all(one.high <= FEW for one in bare) and bare[0].end > masses[-1].end)


def _last_counts(bare: Sequence[Amount]) -> Sequence[Amount]:
    """The last of numbers without a unit where it counts what those before it are the strength of: "500 2 b.i.d."."""
    if len(bare) < 2:
        return bare
    *strengths, count = bare
    counts = count.high <= FEW and count.high.is_integer() and all(one.high >= DISPENSED for one in strengths)
    return [count] if counts else bare


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, DIGITS)
