"""Who sends no messages and has no mini-program does not pay for the libraries of both."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_gateways_load_their_libraries_only_when_they_are_made() -> None:
    script = (
        "import sys, app, core.gateways.sms, core.gateways.tencent_sms, core.gateways.wechat;"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'wechatpy', 'tencentcloud', 'requests'}))"
    )
    told = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
