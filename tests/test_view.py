"""The page shows every mark, leads from attributes to entities, and its file is private and removed."""

import stat
from pathlib import Path

import pytest

from medtext import view
from medtext.schema import CATEGORIES
from tests.test_record import record

TEXT = "left <knee> pain & yesterday"
FOUND = record(
    TEXT,
    [("left", "DIRECTION"), ("pain", "DX_NAME"), ("yesterday", "TIME_EXPRESSION")],
    [(0, 1), (2, 1)],
    [(1, ["SYMPTOM"])],
)


def test_the_page_marks_and_links() -> None:
    page = view.page(TEXT, FOUND)
    assert "&lt;knee&gt;" in page
    assert "<knee>" not in page
    pain = TEXT.index("pain")
    assert page.count(f'href="#s{pain}"') == 2
    assert f'id="s{pain}"' in page
    assert "SYMPTOM" in page
    assert all(category in page for category in CATEGORIES)


def test_every_category_has_a_colour() -> None:
    assert set(view.COLOURS) == set(CATEGORIES)


def test_the_file_is_private_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def browser(url: str) -> bool:
        path = Path(url.removeprefix("file://"))
        opened.append(path)
        assert path.read_text() == "page"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        return True

    monkeypatch.setattr(view.webbrowser, "open", browser)
    assert view.show("page", seconds=0)
    assert not opened[0].parent.exists()


def test_no_browser_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view.webbrowser, "open", lambda _url: False)
    assert not view.show("page")
