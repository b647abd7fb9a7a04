"""The wheel works by itself: in an environment with nothing else of ours, without a network and without the checkout."""

import json
import subprocess
import sys
import venv
from pathlib import Path

from tests.conftest import ROOT

OFFLINE = """
import socket, sys
def refuse(*_, **__):
    raise OSError("no network in this test")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
import medtext
record = medtext.extract("She denies chest pain and takes lisinopril 10 mg daily.")
assert not record.error, record.error
import json, pathlib
print(json.dumps({"at": medtext.__file__, "types": [entity.type for entity in record.entities]}))
"""


def test_the_built_wheel_extracts_a_note(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("medtext_nlp-*.whl")
    venv.create(tmp_path / "empty", with_pip=True)
    python = tmp_path / "empty" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "requirements.txt", wheel]
    subprocess.run([str(part) for part in install], check=True, capture_output=True)
    done = subprocess.run([str(python), "-I", "-c", OFFLINE], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["at"].startswith(str(tmp_path))
    assert found["types"] == ["DX_NAME", "GENERIC_NAME"]
    command = [str(tmp_path / "empty/bin/medtext"), "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith("medtext ")
