"""The phone's outbox (待发送) against the product as a process: its tests are written in TypeScript and run by Node."""

import json
import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import today
from tests.conftest import ROOT
from tests.paperwork import photo
from tests.people import sales, spot_check, uscc
from tests.rounds import rounds
from tests.servers import free_port


@pytest.mark.rounds
def test_nothing_is_lost_and_nothing_doubled(client_tools: Path, tmp_path: Path) -> None:
    many = rounds(20, few=2)
    data = tmp_path / "data"
    prepare = subprocess.run(
        [ROOT / "manage", "prepare"], env={**os.environ, "DATA_DIR": str(data), "DATABASE_URL": ""}, timeout=300,
        capture_output=True, check=False,
    )  # fmt: skip
    assert prepare.returncode == 0, prepare.stderr.decode()
    accounts = json.loads((data / "demo-accounts.json").read_text())
    inspector = next(one for one in accounts if one["level"] == "county" and "inspector" in one["roles"])
    pictures = [tmp_path / f"{number}.jpg" for number in range(2)]
    for picture in pictures:
        picture.write_bytes(photo((320, 240)))
    body = sales(check_date=(today() - timedelta(days=1)).isoformat())
    case = {
        "root": str(ROOT), "dataDir": str(data), "port": free_port(), "rounds": many,
        "username": inspector["username"], "password": inspector["password"],
        "body": body, "spotCheck": spot_check(),
        "codes": [uscc(number) for number in range(3 * many + 40)], "photos": [str(picture) for picture in pictures],
    }  # fmt: skip
    (tmp_path / "case.json").write_text(json.dumps(case))
    done = subprocess.run(
        [
            client_tools / "node_modules" / ".bin" / "vitest", "run", "--config", "vitest.server.config.ts",
            "core/tests/server",
        ],
        cwd=client_tools, env={**os.environ, "GONGPIN_CASE": str(tmp_path / "case.json"), "CI": "1"},
        capture_output=True, text=True, timeout=300 + 60 * many, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
