"""The form a span stands in: what rules know it by beside its type."""

import re
from dataclasses import dataclass

from medtext.rulebook import expression
from medtext.schema import Mention


@dataclass(frozen=True, slots=True)
class Form:
    """The words of a span, what stands right before it, and what follows it; `reach` characters before it are looked at."""

    text: re.Pattern[str]
    before: re.Pattern[str]
    after: re.Pattern[str]
    reach: int

    @classmethod
    def of(cls, rule: str, text: str, before: str, after: str, flags: int, reach: int) -> "Form":
        """From the expressions of the rule with this id. Raises `ValueError` for one that is wrong."""
        ends_here = rf"(?:{before})\Z" if before else ""
        return cls(
            expression(rule, text, flags), expression(rule, ends_here, flags), expression(rule, after, flags), reach
        )

    def match(self, text: str, mention: Mention) -> tuple[int, int] | None:
        """Where what was asked for before the span begins and what was asked for behind it ends; None in another form."""
        if not self.text.fullmatch(text, mention.begin, mention.end):
            return None
        start = max(0, mention.begin - self.reach)
        before, after = self.before.search(text[start : mention.begin]), self.after.match(text, mention.end)
        return (start + before.start(), after.end()) if before and after else None
