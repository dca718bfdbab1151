"""Node (Node.js) and the packages of `client/`, where tests need them."""

import shutil
import subprocess
from pathlib import Path

import pytest

CLIENT = Path(__file__).resolve().parent.parent / "client"
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH")


def installed_client(folders: pytest.TempPathFactory) -> Path:
    """The client with what its core needs installed: in its place if it is there, else a copy, as the lock says.

    Skips where Node is missing, or where packages are and cannot be fetched.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed: what needs them is not tested")
    if (CLIENT / "node_modules" / ".bin" / "vitest").exists():
        return CLIENT
    folder = folders.mktemp("client") / "client"
    shutil.copytree(CLIENT, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    command = [npm, "ci", "--workspace", "core", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode and any(code in done.stderr for code in UNREACHABLE):
        pytest.skip("the npm registry cannot be reached: what needs the packages of the client is not tested")
    assert done.returncode == 0, done.stderr
    return folder
