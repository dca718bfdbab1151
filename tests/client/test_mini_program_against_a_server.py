"""The built mini-program in Node, on a phone that its tests play, against the product as a process.

WeChat's own template compiler and component system run it (miniprogram-simulate); `wx.request`, `wx.uploadFile` and
`wx.login` reach the server and a double of WeChat. The stories are written in TypeScript:
`client/phone/tests/mini-program/`.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bundle import client_build
from tests.demo_folder import demo_folder
from tests.paperwork import photo
from tests.people import uscc
from tests.servers import running_server
from tests.wechat_double import APP_KEY, APPID, wechat_double

STORIES = client_build.CLIENT / "phone" / "tests" / "mini-program"
PROGRAM = client_build.built_folder("mp-weixin")
SECONDS = 600

pytestmark = pytest.mark.skipif(
    not client_build.is_current("mp-weixin"), reason="the mini-program is not built of these sources: make client"
)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A server with the demo, the double beside it, and what a story needs to know."""
    if not (client_build.CLIENT / "node_modules" / "miniprogram-simulate").is_dir():
        pytest.skip("the packages of the client are not installed: make client")
    folder = tmp_path_factory.mktemp("mini-program")
    build = folder / "build"
    shutil.copytree(PROGRAM, build)
    (build / "package.json").write_text('{"type": "commonjs"}')
    picture = folder / "photo.jpg"
    picture.write_bytes(photo((320, 240)))
    with wechat_double() as double:
        double.for_trying = True
        wechat = {"WECHAT_APPID": APPID, "WECHAT_SECRET": APP_KEY, "WECHAT_BASE_URL": double.address}
        data_dir = demo_folder(tmp_path_factory)
        with running_server(data_dir, DEMO="1", DATABASE_URL="", **wechat) as server:
            accounts = json.loads((data_dir / "demo-accounts.json").read_text())
            inspector, another, *_ = (
                one for one in accounts if one["level"] == "county" and "inspector" in one["roles"]
            )
            yield {
                "server": server, "wechat": double.address, "build": str(build), "photo": str(picture),
                "username": inspector["username"], "password": inspector["password"],
                "another": {name: another[name] for name in ("username", "password")},
                "codes": [uscc(number) for number in range(4)],
            }  # fmt: skip


@pytest.mark.parametrize("story", sorted(path.name for path in STORIES.glob("*.server.ts")))
def test_a_story_of_the_mini_program(story: str, case: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "case.json").write_text(json.dumps(case))
    environment = {**os.environ, "GONGPIN_CASE": str(tmp_path / "case.json"), "CI": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        [
            client_build.CLIENT / "node_modules" / ".bin" / "vitest", "run", "--config", "vitest.server.config.ts",
            f"phone/tests/mini-program/{story}",
        ],
        cwd=client_build.CLIENT, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
