"""The demo's data folder: made once in a run of the tests, by whichever worker asks first; the others copy it."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT


def demo_folder(tmp_path_factory: pytest.TempPathFactory, name: str = "demo") -> Path:
    """A data folder of one's own in which `./manage prepare` has loaded the demo (SQLite, a key of its own)."""
    base = tmp_path_factory.getbasetemp()
    # Workers stand in folders of their own, side by side.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = shared / "demo-made-once"
    with (shared / "demo-made-once.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            unfinished = shared / "demo-unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            environment = {**os.environ, "DATA_DIR": str(unfinished), "DATABASE_URL": "", "DEMO": "1"}
            prepare = [sys.executable, "cli/__main__.py", "prepare"]
            subprocess.run(prepare, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=600)
            unfinished.rename(made)
    folder = tmp_path_factory.mktemp(name)
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return folder
