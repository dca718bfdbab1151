"""An enterprise and a bureau play all four kinds over HTTP, on each database with its storage."""

import subprocess
import sys

import pytest

from tests.conftest import DIALECTS
from tests.servers import ROOT


@pytest.fixture
def storage(dialect: str) -> str:
    return "s3" if dialect == "postgresql" else "local"


@pytest.mark.rounds
@pytest.mark.parametrize(
    "dialect",
    [pytest.param(name, marks=pytest.mark.only_in_rounds) if name == "postgresql" else name for name in DIALECTS],
    indirect=True,
)
def test_the_story_of_all_four_kinds_holds_no_surprise(dialect: str, storage: str) -> None:
    command = [sys.executable, "-m", "tests.play_filings", "--database", dialect, "--storage", storage]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == f"all four kinds were played on {dialect} and {storage}"
    assert "!!" not in done.stdout
