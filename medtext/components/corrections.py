"""What is read wrongly by its words and told by its form: mentions that are nothing, or of another type.

"(HCC)" behind a diagnosis is Epic's mark of a category, not a carcinoma, and what a culture is resistant to is no medication
of the patient. The forms are in `rules/corrections.toml`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from medtext.forms import Form
from medtext.rulebook import expression
from medtext.schema import CATEGORY_OF, Mention

BEFORE = 160
"""Characters before a mention that tell what it is."""
SENTENCE = re.compile(r".*(?:\n|\.\s+(?=[A-Z]))", re.DOTALL)
"""What stands before the sentence that a text ends in, and before its line."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Mentions of `types` that are none of these in this form; see the head of `rules/corrections.toml`."""

    id: str
    types: tuple[str, ...]
    text: str
    before: str = ""
    amid: str = ""
    after: str = ""
    becomes: str = ""

    def __post_init__(self) -> None:
        if unknown := [kind for kind in (*self.types, *filter(None, [self.becomes])) if kind not in CATEGORY_OF]:
            raise ValueError(f"{unknown[0]!r} is no entity type")
        self.compiled()

    def compiled(self) -> tuple[Form, re.Pattern[str]]:
        """The form, and what must stand before it in its sentence."""
        flags = re.IGNORECASE | re.VERBOSE
        return Form.of(self.id, self.text, self.before, self.after, flags, BEFORE), expression(
            self.id, self.amid, flags
        )


class Corrections:
    """Mentions as the rules read them."""

    def __init__(self, rules: Iterable[Correction]) -> None:
        self._of: dict[str, list[tuple[Correction, Form, re.Pattern[str]]]] = {}
        for rule in rules:
            for kind in rule.types:
                self._of.setdefault(kind, []).append((rule, *rule.compiled()))

    def __call__(self, text: str, mentions: Iterable[Mention]) -> Iterator[Mention]:
        """The mentions that are something, each with its type."""
        for mention in mentions:
            rule = self._rule(text, mention)
            if rule is None:
                yield mention
            elif rule.becomes:
                yield replace(mention, type=rule.becomes, source=f"correction:{rule.id}")

    def _rule(self, text: str, mention: Mention) -> Correction | None:
        for rule, form, amid in self._of.get(mention.type, ()):
            if form.match(text, mention):
                head = text[max(0, mention.begin - BEFORE) : mention.begin]
                if amid.search(SENTENCE.sub("", head)):
                    return rule
        return None
