"""Rules are checked when they are loaded, and what is wrong is named."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from medtext.components.context import ContextCue
from medtext.components.corrections import Correction
from medtext.components.mixtures import Mixture
from medtext.components.patterns import Pattern
from medtext.components.phi import PhiRule
from medtext.components.resolve import SourceRule
from medtext.components.sections import Heading
from medtext.components.trait_rules import TraitRule
from medtext.errors import RuleError
from medtext.rulebook import load_table, load_toml, load_words, rules_dir
from medtext.sig.words import SigRule
from medtext.times import TimeWord
from medtext.values import Unit, ValueWord


@dataclass(frozen=True)
class Rule:
    id: str
    term: str
    weight: float = 1.0
    on: bool = True


def written(folder: Path, text: str, name: str = "rules.tsv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_becomes_rules(tmp_path: Path) -> None:
    path = written(tmp_path, "# comment\nid\tterm\tweight\ton\na\tfever\t0.5\tfalse\nb\tcough\t\t\n")
    assert load_table(path, Rule) == (Rule("a", "fever", 0.5, False), Rule("b", "cough"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id\tterm\tcolour\na\tfever\tred\n", "line 2: unknown key 'colour'"),
        ("id\tweight\na\t1\n", "line 2: 'term' is missing"),
        ("id\tterm\na\tfever\na\tcough\n", "line 3: the id 'a' occurs twice"),
        ("id\tterm\tweight\na\tfever\theavy\n", "line 2: could not convert"),
        ("id\tterm\tweight\ton\na\tfever\t1\tmaybe\n", "neither true nor false"),
        ("id\tterm\na\tfever\tx\ty\n", "line 2: 4 cells under 2 column names"),
    ],
)
def test_a_wrong_table_names_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        load_table(written(tmp_path, text), Rule)


def test_toml_that_is_wrong_is_a_rule_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"rules\.toml"):
        load_toml(written(tmp_path, "[[rule]\n", "rules.toml"), "rule", Rule)
    with pytest.raises(RuleError, match="no str"):
        load_toml(written(tmp_path, "[[rule]]\nid = 1\nterm = 'x'\n", "rules.toml"), "rule", Rule)


@pytest.mark.parametrize(
    "load", [load_words, partial(load_table, kind=Rule), partial(load_toml, table="rule", kind=Rule)]
)
def test_a_file_of_rules_that_cannot_be_read_is_a_rule_error(tmp_path: Path, load) -> None:
    with pytest.raises(RuleError, match=r"nowhere\.tsv cannot be read: No such file"):
        load(tmp_path / "nowhere.tsv")
    (tmp_path / "latin.tsv").write_bytes("id\tterm\na\tfièvre\n".encode("latin-1"))
    with pytest.raises(RuleError, match=r"latin\.tsv is not UTF-8 text"):
        load(tmp_path / "latin.tsv")


def test_a_name_in_braces_stands_for_a_text_that_rules_share(tmp_path: Path) -> None:
    shared = "[shared]\nfew = '(?:one|two)'\n"
    rules = "[[rule]]\nid = 'a'\nterm = '{few} pills{1,3}'\n[[rule]]\nid = 'b'\nterm = 'up to {few}'\n"
    found = load_toml(written(tmp_path, shared + rules, "rules.toml"), "rule", Rule)
    assert [rule.term for rule in found] == ["(?:one|two) pills{1,3}", "up to (?:one|two)"]
    (alone, _) = load_toml(written(tmp_path, rules, "rules.toml"), "rule", Rule)
    assert alone.term == "{few} pills{1,3}"


def test_words_are_lower_case_without_comments(tmp_path: Path) -> None:
    assert load_words(written(tmp_path, "# head\nHis\nall # note\n\n", "words.txt")) == {"his", "all"}


@pytest.mark.parametrize(
    ("load", "file", "table", "kind"),
    [
        (load_table, "sections.tsv", None, Heading),
        (load_table, "context.tsv", None, ContextCue),
        (load_table, "sources.tsv", None, SourceRule),
        (load_table, "units.tsv", None, Unit),
        (load_table, "values.tsv", None, ValueWord),
        (load_table, "times.tsv", None, TimeWord),
        (load_table, "sig.tsv", None, SigRule),
        (load_toml, "patterns.toml", "pattern", Pattern),
        (load_toml, "phi.toml", "recognizer", PhiRule),
        (load_toml, "traits.toml", "rule", TraitRule),
        (load_toml, "corrections.toml", "correction", Correction),
        (load_toml, "mixtures.toml", "mixture", Mixture),
    ],
)
def test_the_shipped_rules_check_out(load, file, table, kind) -> None:
    arguments = (rules_dir() / file, table, kind) if table else (rules_dir() / file, kind)
    assert load(*arguments)


TRAIT_RULE = {"id": "a", "category": "MEDICATION", "words": "x", "odds": {"NEGATION": 1.0}}


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        (Pattern, {"id": "a", "regex": "(?P<DOSE>x)", "starts": "x", "score": 1.0}, "no entity type"),
        (Pattern, {"id": "a", "regex": "x", "starts": "x", "score": 1.0}, "no named group"),
        (Pattern, {"id": "a", "regex": "(", "starts": "x", "score": 1.0}, "is wrong"),
        (Correction, {"id": "a", "types": ("DX",), "text": "x"}, "no entity type"),
        (Correction, {"id": "a", "types": ("DX_NAME",), "text": "x", "becomes": "DX"}, "no entity type"),
        (Correction, {"id": "a", "types": ("DX_NAME",), "text": "("}, "is wrong"),
        (Mixture, {"id": "a", "name": "x", "between": "in", "other": "x", "keeps": "x"}, "needs one named group"),
        (Mixture, {"id": "a", "name": "(", "between": "(?P<joint>in)", "other": "x", "keeps": "x"}, "is wrong"),
        (PhiRule, {"id": "a", "type": "DX_NAME", "subtype": "SSN", "regex": "(?P<value>x)", "score": 1.0}, "no type"),
        (PhiRule, {"id": "a", "type": "ID", "subtype": "SHOE", "regex": "(?P<value>x)", "score": 1.0}, "no subtype"),
        (PhiRule, {"id": "a", "type": "ID", "subtype": "SSN", "regex": "x", "score": 1.0}, "needs one named group"),
        (Unit, {"id": "a", "term": "mg", "ucum": "m g"}, "holds a blank"),
        (ValueWord, {"id": "a", "role": "high", "term": "high", "means": "H"}, "no role"),
        (ValueWord, {"id": "a", "role": "interpretation", "term": "high", "means": "UP"}, "means none of"),
        (ValueWord, {"id": "a", "role": "scale", "term": "ten"}, "no number"),
        (TimeWord, {"id": "a", "role": "era", "term": "ago"}, "no role"),
        (TimeWord, {"id": "a", "role": "unit", "term": "days", "means": "days"}, "does not mean a unit"),
        (TimeWord, {"id": "a", "role": "month", "term": "may", "means": "May"}, "does not mean a number"),
        (ContextCue, {"id": "a", "category": "NO", "direction": "FORWARD", "literal": "no"}, "no category"),
        (ContextCue, {"id": "a", "category": "FAMILY", "direction": "UP", "literal": "no"}, "no direction"),
        (TraitRule, {**TRAIT_RULE, "category": "DRUG", "after": "x"}, "no category"),
        (TraitRule, {**TRAIT_RULE, "after": "x", "unless": "NEGATION"}, "no category of cues"),
        (TraitRule, {**TRAIT_RULE, "after": "x", "odds": {"NEGATED": 1.0}}, "no trait"),
        (TraitRule, TRAIT_RULE, "neither before nor after"),
        (TraitRule, {**TRAIT_RULE, "after": "("}, "is wrong"),
    ],
)
def test_a_rule_refuses_to_be_wrong(kind, values, said) -> None:
    with pytest.raises(ValueError, match=said):
        kind(**values)
