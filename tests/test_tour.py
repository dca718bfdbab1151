"""The tour in `docs/tour.md` runs as it stands, against a server started as a newcomer starts it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import running_server

ROOT = Path(__file__).resolve().parent.parent


needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


def commands() -> str:
    """All bash blocks of the tour, in order."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", (ROOT / "docs" / "tour.md").read_text(), re.M | re.S)
    assert len(blocks) >= 10
    return "\n".join(blocks)


def take_the_tour(base: str, data_dir: Path) -> int:
    """Run all commands of the tour against a server with the demo, and look at what they print.

    Answers how many applications for corrections wait: a demo of an earlier release has none.
    """
    done = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=commands(), capture_output=True, text=True, timeout=120, cwd=ROOT,
        env={"PATH": os.environ["PATH"], "BASE": base, "DATA_DIR": str(data_dir), "LANG": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    said = done.stdout.splitlines()
    assert said[:6] == [
        "pending", "账号待上级审核，审核通过后方可登录", "赵某", "approved", "钟楼区市场监督管理局", "电线电缆",
    ]  # fmt: skip
    assert said[6:10] == ["201", "1", "200", "200"]
    assert "出厂检验记录不齐全" in said[10] and "9月以后没有检验记录" in said[10]
    assert said[11].startswith("待完成处置：")
    assert '"path": "/uscc"' in said[12]
    assert '"path": "/inspectors"' in said[12]
    assert said[13].endswith("与所填名称不一致，请核对代码和名称")
    assert said[14:17] == ["done", "3", "422"]
    assert said[17:20] == ["201", "导体直流电阻（20℃）", "fail"]
    assert "电缆" in said[20]
    assert int(said[21]) >= 1 and int(said[22]) >= 1
    assert "是否应为 product_code？" in said[23]
    assert "统一社会信用代码" in said[24]
    assert said[26:31] == ["404", "陪同人员有误，请核对后更正", "（陪同人员有误，请核对后更正）", "1", "voided"]
    assert said[31] == "误填，该店不在本辖区"
    said, orders = said[:-4], said[-4:]
    assert orders[1:3] == ["已撤销", "误选企业"] and orders[3] in ("true", "false")
    waiting, differences = int(said[32]), said[33:-9]
    assert len(differences) == waiting and all('"/escort"' in one for one in differences)
    assert said[-9:-4] == ["disabled", "401", "merged", "merge", "导体直流电阻（20℃）"]
    assert said[-4] == "201" and "请于" in said[-3] and "日后再试" in said[-3]
    assert said[-2:] == ["139****0001", "201"]
    return waiting


@needs_curl
def test_the_tour_runs_as_it_stands(tmp_path: Path) -> None:
    with running_server(tmp_path) as base:
        assert take_the_tour(base, tmp_path) == 1
