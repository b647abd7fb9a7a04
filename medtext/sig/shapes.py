"""The shapes of what a prescription says, as one regular expression over text in lower case.

Each shape is an alternative with a group of its name; the more special stand first. `@name` stands for one of `PARTS`, and
`@words_KIND` for the terms of a kind of rule. Blanks in a shape count for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PARTS = {
    "start": r"(?<!\w)(?<!\d[.,])(?<![a-z]-)(?<!point )",  # of a number: not after the point of another, nor in "TTS-2"
    "begin": r"(?<!\w)",
    "end": r"(?!\w)",
    "to": r"\s*(?:-|–|—|to|or|and/or)\s*",
    "digits": r"(?:(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)",
    "glyph": "[½¼¾⅓⅔]",
    "fraction": r"(?:(?:1/[2-8]|[23]/[345]|[357]/8)(?![\d/]))",
    "mixed": r"(?:\d+(?:\s*-\s*|\s+and\s+|\s*&\s*|\s+)@fraction|\d+\s*(?:and\s+)?@glyph|@fraction|@glyph)",
    "below_hundred": r"(?:(?:@words_tens)[\s-]+(?:@words_ones)|(?:@words_number))",
    "below_thousand": r"@below_hundred(?:\s+hundred(?:\s+(?:and\s+)?@below_hundred)?)?",
    "cardinal": r"@below_thousand(?:\s+thousand(?:\s+(?:and\s+)?@below_thousand)?)?",
    "decimal": r"(?:(?:@cardinal|zero)\s+)?point(?:\s+(?:zero|oh|one|two|three|four|five|six|seven|eight|nine))+",
    "spoken": r"(?:(?:@decimal|@cardinal(?:\s+and\s+(?:a|one)[\s-]half)?)@end)",
    "number": r"(?:@mixed|@digits(?:\s+and\s+a\s+half)?|@spoken)",
    "numeral": r"(?:@number|(?:@words_numeral)@end)",
    "opening": r"(?<!\w)(?=[\d.½¼¾⅓⅔]|(?:for|times|[x×]|once|twice|thrice)(?![a-wyz])|q\s?\d|@spoken|(?:@words_numeral)@end)",
    "unit_of_time": r"(?:@words_time)",
    "period": r"(?:@unit_of_time|daily|nightly|weekly|monthly|yearly|annually|24\s?(?:h|hrs?|hours))@end",
    "counted_unit": r"(?:@words_counted)",
    "mass_unit": r"(?:@words_mass)",
    "under": r"(?:(?:\s*/|\s+per\b)\s*@digits?\s*(?:@words_per|@counted_unit|@mass_unit)@end)*",  # "/5 mL", "/kg/day"
    "weekday": r"(?:mon|tue|wed|thu|fri|sat|sun)(?:s|r|rs|days?|sdays?|nesdays?|rsdays?|urdays?)?\.?",
    "again": r"(?:\s*\(\s*(?!or\b|to\b|up\b|max)[^()]{1,14}\s*\))?",  # "two (2) tablets", "every 4-6 (four to six) hours"
    "strength": r"(?:(?:\s+(?:of\s+)?|\s*[x×]\s*)@digits\s*-?\s*@mass_unit\s+)?",  # "two 20 mg tablets"
    "content": r"\(\s*@digits\s*(?:mls?|cc|l|g|gm|oz)\s*\)",  # of a bottle, a pen or a tube
}

NUMBERED = {
    # 1-0-1, 1+0+1; but "150+75+400" are strengths
    "scheme": r"""(?<![\w/.+-])
        (?: (?:@mixed|\d+(?:\.\d)?) (?:\s?-\s?(?:@mixed|\d+(?:\.\d)?)){2,3}
        | (?:@mixed|\d{1,2}(?:\.\d)?) (?:\s?\+\s?(?:@mixed|\d{1,2}(?:\.\d)?)){2,3} ) (?![\w/+-]|\s?\+)""",
    # once daily, 2-3 times a day, 2 (two) times daily, 3x/day, x3/day, 6-7/d
    "often": r"""@start (?:once | twice | thrice
        | (?P<often_low>@number) (?:@to(?P<often_high>@number))? @again
            \s*(?:x|×|times?|days?(?=\s*(?:/|a|per|each|every|in)\s*(?:a\s)?w))
        | [x×]\s*(?P<often_x>\d+) (?=\s*(?:/|a\s|per\s|daily))
        | (?P<often_slash>\d+(?:@to\d+)?) (?=\s*/\s*(?:d|day|24\s?h|wk|week)@end))
        (?:@to(?P<often_twice>twice))? \s*(?:/|\ba|\bper|\beach|\bevery|\bin\s+a)?\s* (?P<often_period>@period)""",
    # 5/7, 2/52, 3/12; 6/12ly
    "weeks": r"""(?<![\w./]) (?P<weeks_for>x\s*)? (?P<weeks_low>\d{1,2})\s?/\s?(?P<weeks_of>7|52|12)
        (?:(?P<weeks_ly>\s?ly)@end | (?![\w/.]|\s?(?:tab|cap)))""",
    # for 10 days, x7d, 5-day course, for a week, for a week or two
    "span": r"""@start (?:(?P<span_how>for|times|x|×)\s*)?
        (?:(?<=for\s)up\s+to\s+)? (?:(?:the|a\s+total\s+of|a|next|another|full|additional)\s+)*
        (?P<span_low>@number|(?<=for\s)an?(?=\s)) (?:@to(?P<span_high>@number))? @again \s*(?:more|additional|further|full)?[\s-]*
        (?P<span_unit>@unit_of_time)\.?(?![\w/]) (?:\s+(?:or|to)\s+(?P<span_more>@number))?
        (?P<span_course>\s+course)? (?P<span_supply>\s+supply)?""",
    # 4 hourly
    "hourly": r"""@start (?P<hourly_low>@number) (?:@to(?P<hourly_high>@number))? \s*-?\s*
        (?P<hourly_unit>hourly|hrly|hly|hrs?ly|monthly|weekly|wkly) @end""",
    # 100 unit/mL (3 mL), 0.1 % cream (30 g)
    "packaged": r"""@start @digits\s*(?:@mass_unit\s*(?:/|per\b)\s*@digits?\s*@counted_unit@end|%)
        \s*(?:(?:@words_container)@end\s*)? @content
        | @start @digits\s*@mass_unit\s*(?:/|per\b)\s*@digits?\s*@counted_unit\s*\(\s*@digits\s*(?:mls?|cc)\Z""",
    "percent": r"@start @digits\s*%",
    # 1-2 tabs, ½ tab, two 20 mg capsules
    "counted": r"""@start (?:[x×]\s*)? (?P<counted_low>@numeral) @again
        (?:(?:\s*(?P<counted_first>@counted_unit)@end)?@to(?P<counted_high>@numeral))? \s*-?\s* @strength
        (?P<counted_unit>@counted_unit)\.?@end (?P<counted_per>@under)""",
    # 5-10 mg, 2 x 500 mg, 10 mg/kg, 400 mg/5 mL
    "mass": r"""(?<![\w.])(?<!\d[,/])(?<!point[ ]) (?:(?P<mass_times>\d)\s*[x×]\s*)? (?P<mass_low>@number)
        (?:\s*(?P<mass_first>@mass_unit)?@under@to(?P<mass_high>@number))?
        \s*[-|]?\s* (?P<mass_unit>@mass_unit)@end (?P<mass_per>@under)""",
    # x3, 2 doses
    "repeat": r"""@begin(?:x|×|times)\s*@numeral (?:@to\d+)? \s*(?:doses?|times?)? (?![\w.%])
        | @begin(?P<repeat_doses>@number)\s+doses@end""",
    # 5/325, 875/125 mg, 150+75+400 mg
    "combined": r"""(?<![\w./])(?!@fraction) @digits (?:\s?[/+]\s?@digits)+ \s*(?:@mass_unit@end)?""",
    # 8 a.m., q8am; q0600
    "clock": r"(?:@begin q\s?|@start) (?:1[0-2]|0?[1-9])(?::\d\d)?\s?[ap]\.?m\.?@end | @begin q\s?(?:[01]\d|2[0-3])[0-5]\d@end",
}
"""What begins with a number, or with a word before one."""

WORDED = {
    # #30, disp 30 tabs, 2 refills, (10 mL) vial, 200 dose
    "dispensed": r"""\#\s*\d+ | @content(?=\s*(?:@words_container)@end)
        | @begin (?:disp(?:ense)?d?|qty|quantity|refills?|rf|total\s+of)@end [\s:.\#]* @number? (?:\s*@counted_unit@end)?
        | @start\d+\s*(?:refills?|rf)@end | @start\d{2,3}\s*dose@end""",
    # Mon, Wed and Fri; every Tuesday, Thursday; qTues and qThurs; Mon-Sat
    "week": r"""@begin (?:(?:every|each|on)\s+|q\s?)? @weekday
        (?:(?:@end\s*(?:[,/&+]|and\b)\s*)+ (?:on\s+|q\s?)?@weekday)+ @end
        | @begin (?P<week_from>@weekday) \s*(?:-|–|to|through|thru)\s* (?P<week_to>@weekday) @end""",
    # increased from 100 mg daily to 120
    "changed": r"""@begin (?:@words_former) \s+@number \s*(?:@mass_unit|@counted_unit)?@end
        (?:\s*(?:@words_frequency)@end)? \s+to@end""",
    # (was 20 mg daily), up from 100
    "former": r"@begin (?:@words_former)@end [\s:(]* (?=@number)",
    # dose: 20; unit: mg
    "keyed": r"""@begin dos(?:e|age)\s*[:=]\s* (?P<keyed_low>@number) \s{0,3}[;|,]?\s{0,3} (?:dos(?:e|age)\s)?units?\s*[:=]\s*
        (?P<keyed_unit>@mass_unit|@counted_unit)@end""",
    # q4-6h, every 2 to 3 hours, every 6 (six) hours, q6, once in 15 days, every 8 hourly
    "every": r"""@begin(?:q|every|evry|each|ev|once\s+(?:in|every))\.?\s* (?P<every_low>@number)
        (?:\s*@unit_of_time?@to(?:q\.?\s*)?(?P<every_high>@number))? @again [\s.-]*
        (?P<every_unit>(?:@unit_of_time|hourly|hrly|weekly|wkly|monthly)@end)? @end""",
    # days 1-14, D1-5, D1, D8, D15: of a cycle
    "cycle": r"""@begin d(?:ays?\s?)?\d{1,2} (?:\s?(?:[-–]|to|through)\s?(?:d(?:ays?\s?)?)?|(?:\s?(?:[,/&]|and))+\s?d)\d{1,2}
        (?![\w.]|\s?@mass_unit@end)""",
    "sig": r"@begin(?:@words_sig)@end",
    "word": r"@begin(?:@words_read)@end",
    # tabs ii, gtt i to ii; but "tablet t.i.d.", "vial IV", "tabs x 3 days"
    "posed": r"""@begin(?P<posed_unit>@counted_unit)\.?\s+(?!(?:@words_read)@end)
        (?P<posed_low>@words_numeral)@end (?:@to(?P<posed_high>@words_numeral)@end)? (?!\.?\s*\d)""",
    # 1T, T2T: "take two tablets"
    "tees": r"@begin t?(?P<tees_low>[1-9])t@end",
    "form": r"@begin@counted_unit@end",
    # q wk
    "each": r"@begin(?:q|every)\.?\s*(?P<each_unit>@unit_of_time)@end",
    "number": r"@start (?P<number_low>@numeral) (?:@to(?P<number_high>@numeral))? (?![\w%]|[,.]\d)",
}


def item(terms: Mapping[str, str]) -> re.Pattern[str]:
    """What finds one item of a prescription; `lastgroup` is its shape. `terms` are the alternatives of each kind of rule."""
    numbered, worded = (
        "|".join(f"(?P<{name}>{shape})" for name, shape in shapes.items()) for shapes in (NUMBERED, WORDED)
    )
    return re.compile(filled(f"@opening(?:{numbered})|{worded}", terms), re.VERBOSE)


def filled(shape: str, terms: Mapping[str, str]) -> str:
    """A shape with its parts put in, and theirs."""
    parts = PARTS | {f"words_{kind}": alternatives for kind, alternatives in terms.items()}
    while "@" in shape:
        shape = re.sub(r"@([a-z_]+)", lambda found: parts[found.group(1)], shape)
    return shape
