"""Arrows point one way, and a foreign library is imported in one place."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "medtext"
LAYERS = [
    {"errors", "schema", "version"},
    {
        *("config", "rulebook", "findings", "decoding", "features", "wordpieces", "link_pairs", "regression"),
        *("policy", "scores", "times", "marks", "values", "hashing", "folding", "forms", "products", "terminology"),
    },
    {"sig", "coding"},
    {"record", "windows", "readers", "writers", "deid"},
    {"components"},
    {"pipeline"},
    {"annotate"},
    {"engines"},
    {"api", "spark"},
    {"evaluate", "tally", "progress", "leaks", "report", "view", "training"},
    {"cli"},
    {"__init__", "__main__"},
]
AT_HOME = {
    "typer": {"cli.py"},
    "tqdm": {"progress.py"},
    "pebble": {"engines/local.py"},
    "pyspark": {"engines/spark.py"},
    "pyarrow": {"readers/parquet.py", "writers/parquet.py"},
    "onnxruntime": {"components/networks.py", "training/export.py"},
    "presidio_analyzer": {"components/phi.py"},
    "presidio_anonymizer": {"deid/replacing.py"},
    "faker": {"deid/fakes.py"},
    "snowballstemmer": {"terminology.py"},
    "medspacy": {"components/medspacy_parts.py"},
    "scispacy": {"components/abbreviations.py"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def layer(part: str) -> int:
    return next(number for number, names in enumerate(LAYERS) if part in names)


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_arrows_point_one_way(path: Path) -> None:
    own = layer(path.relative_to(PACKAGE).parts[0].removesuffix(".py"))
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == "medtext" and len(parts) > 1:
            assert layer(parts[1]) <= own, f"{name(path)} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_foreign_libraries_stay_at_home(path: Path) -> None:
    for module in imports(path):
        home = AT_HOME.get(module.split(".")[0])
        assert home is None or name(path) in home, f"{name(path)} imports {module}"


def test_the_public_names_are_what_they_say() -> None:
    import medtext

    assert sorted(medtext.__all__) == list(medtext.__all__)
    assert all(hasattr(medtext, public) and getattr(medtext, public) is not None for public in medtext.__all__)
