"""What the README and the other pages say is so."""

import contextlib
import io
import json
import re
import shlex

import pytest
from typer.testing import CliRunner

from medtext.cli import app
from medtext.engines.spark import has_java
from medtext.schema import Record
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (medtext .*?)(?:\s{2,}#.*)?$", README, re.MULTILINE)


def test_the_python_of_the_readme_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(code, {})
    first, *rest = out.getvalue().splitlines()
    assert first == "[('DX_NAME', 11, 21, ['SYMPTOM', 'NEGATION'])]"
    assert [line.split()[0] for line in rest] == ["a", "b"]


def marked(command: str):
    """The command; one that starts Java in the worker of pytest-xdist that has the other tests of Spark."""
    return pytest.param(command, marks=pytest.mark.xdist_group("spark") if "spark" in command else ())


@pytest.mark.parametrize("command", map(marked, COMMANDS))
def test_the_commands_of_the_readme_run(command: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.txt").write_text("She denies chest pain.")
    (tmp_path / "notes.jsonl").write_text('{"id": "a", "text": "She denies chest pain."}\n')
    span = '{"id": 1, "start": 11, "end": 21, "type": "DX_NAME", "traits": [], "parent": null}'
    rows = (f'{{"id": "{name}", "text": "She denies chest pain.", "spans": [{span}]}}\n' for name in range(8))
    (tmp_path / "gold.jsonl").write_text("".join(rows))
    if command.startswith("medtext report"):
        (tmp_path / "out").mkdir()
        (tmp_path / "out/records.jsonl").write_text(json.dumps(Record("a", 3, "1").to_json()))
    if "spark" in command:
        pytest.importorskip("pyspark")
        if not has_java():
            pytest.skip("needs Java 17")
    if command.startswith("medtext train"):
        pytest.importorskip("torch")
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("medtext.view.webbrowser.open", lambda _url: True)
    monkeypatch.setattr("medtext.view.show.__defaults__", (0.0,))
    arguments = shlex.split(command)[1:]
    arguments = ["2" if argument == "4" else argument for argument in arguments]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output


def test_every_command_is_in_the_readme() -> None:
    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert names == {command.split()[1] for command in COMMANDS}


def test_the_readme_has_its_figures() -> None:
    assert "@" not in README.replace("mail@", "")
    assert "make demo" in README
    assert "make test" in README


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/deidentification.md",
        "docs/training.md",
        "models/fast/README.md",
        "models/accurate/README.md",
    ],
)
def test_files_that_pages_name_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(
        r"`((?:rules|models|tests|medtext|docs|samples)/[\w./]+)`", text
    )
    base = (ROOT / page).parent
    assert named
    assert [name for name in named if not ((ROOT / name).exists() or (base / name).exists())] == []
