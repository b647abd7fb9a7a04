"""Hashes that stand for what is not to be written: ids, and the notes and files that a job began with.

All are BLAKE2b, keyed by the environment variable MEDTEXT_HASH_KEY. Without a key, whoever can guess what was hashed can
check the guess.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from medtext.config import Config, find_model
from medtext.rulebook import rules_dir
from medtext.version import __version__

KEY = "MEDTEXT_HASH_KEY"


def hasher(size: int, keyed: bool = True) -> hashlib.blake2b:
    """A hash of `size` bytes that is yet to be fed."""
    key = os.environ.get(KEY, "").encode() if keyed else b""
    return hashlib.blake2b(digest_size=size, key=key[: hashlib.blake2b.MAX_KEY_SIZE])


def hash_id(name: str) -> str:
    """A name of 96 bits that stands for `name`: the same one each time."""
    return hash_of([name], 12)


def hash_of(parts: Iterable[str], size: int, keyed: bool = True) -> str:
    """The hash of strings, one after the other."""
    state = hasher(size, keyed)
    for part in parts:
        state.update(part.encode("utf-8", "surrogatepass"))
    return state.hexdigest()


def hash_of_files(folder: Path) -> str:
    """What all files below a folder hold and are called, in 64 bits; without the key, since these are no notes."""
    state = hasher(8, keyed=False)
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        content = path.read_bytes()
        state.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        state.update(content)
    return state.hexdigest()


def job_settings(config: Config, hash_ids: bool = False) -> dict[str, Any]:
    """What the records of notes depend on, for `medtext.writers.open_output`: names for people, and values for JSON."""
    folder = find_model(config.model)
    meta = _meta(folder)
    others = [folder / other for other in meta.get("with", ())]
    return {
        "model": f"{__version__}+{meta.get('name', config.model)}-{meta.get('version', '')}",
        "model's files": hash_of(map(hash_of_files, [folder, *others]), 8, keyed=False),
        "rules": hash_of_files(rules_dir(str(config.rules or ""))),
        "categories": sorted(config.categories),
        "terminologies": sorted(config.concepts),
        "policy": [config.policy.id, *sorted(config.policy.counts)] if config.policy else None,
        "minimum score": config.min_score,
        "threshold for PHI": config.to_load().phi_threshold,
        "dates": config.date_values,
        "hash of ids": hash_id("") if hash_ids else None,
    }


def _meta(folder: Path) -> dict[str, Any]:
    """What a model says of itself; where it says nothing, loading it will say why."""
    try:
        meta = json.loads((folder / "meta.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return meta if isinstance(meta, dict) else {}
