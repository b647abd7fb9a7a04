"""The command line killed or stopped from outside, with real workers and a small pipeline: they end with it, and what it
leaves is gone on with."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_bad_input import COMMAND, medtext
from tests.test_resume import files

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="workers are told by /proc")
OPTIONS = ("--workers", "2", "--shard-notes", "20", "--format", "jsonl")
PATIENCE = 60.0  # seconds until a test gives up


def children(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found.append(int(path.parent.name))
    return found


def wait_for(happened, what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.02)


def is_there(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_job_that_is_stopped_leaves_no_workers_and_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "notes").mkdir()
    for note in range(200):
        (tmp_path / f"notes/{note:03}.txt").write_text(f"SLOW note {note} of fever.")
    script = tmp_path / "job.py"
    script.write_text(COMMAND)
    job = subprocess.Popen(
        [sys.executable, str(script), "extract", "notes", "-o", "out", *OPTIONS],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for(lambda: (tmp_path / "out/records-00001.jsonl").exists(), "a second shard")
    workers = children(job.pid)
    assert len(workers) >= 2
    if number == signal.SIGINT:
        os.killpg(job.pid, number)  # as a terminal does
    else:
        job.send_signal(number)
    _, said = job.communicate(timeout=PATIENCE)
    if number == signal.SIGKILL:
        assert job.returncode == -number
    else:
        assert job.returncode == 1
        assert said.splitlines()[-1] == "Stopped; --resume goes on."
        assert "Traceback" not in said
        assert not list((tmp_path / "out").rglob("*.part"))
    wait_for(lambda: not any(map(is_there, workers)), "the end of the workers")
    assert not (tmp_path / "out/manifest.json").exists()
    gone_on = medtext(tmp_path, "extract", "notes", "-o", "out", *OPTIONS, "--resume")
    assert gone_on.returncode == 0, gone_on.stderr
    assert "notes were done before" in gone_on.stderr
    assert medtext(tmp_path, "extract", "notes", "-o", "whole", *OPTIONS[2:]).returncode == 0
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_an_interrupt_that_python_ignores_is_not_lost(monkeypatch) -> None:
    from medtext import cli
    from medtext.schema import Record

    class Swallows:
        def __del__(self) -> None:
            cli._interrupt(signal.SIGINT, None)  # Python says "Exception ignored in" and goes on

    records = [Record(name, 0, "") for name in "abc"]
    monkeypatch.setattr(cli, "stop", cli.Stop())
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    seen = []
    with pytest.raises(KeyboardInterrupt):
        for record in cli._unless_stopped(records):
            seen.append(record.document_id)
            Swallows()
    assert seen == ["a"]
