"""Software versions and machine of an evaluation."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path

from unseen.train.files import digest
from unseen.train.leaderboard.rows import RunRow


def this_run() -> RunRow:
    """The row for the current software and machine."""
    packages = ("unseen", "gymnasium", "numpy", "numba", "onnxruntime")
    versions = json.dumps({"python": platform.python_version()} | {name: version(name) for name in packages})
    machine = f"{platform.system()} {platform.machine()}, {_processor()}"
    return RunRow(digest([versions, machine])[:16], versions, machine)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    pairs = (line.partition(":") for line in reversed(lines))
    about = {key.strip(): value.strip() for key, _, value in pairs}  # of the first core
    name = about.get("model name") or platform.processor() or "unknown processor"
    if "cpu family" in about and "model" in about:  # virtual machines often hide the model in the name
        name += f", family {about['cpu family']}, model {about['model']}"
    return name
