"""Papers: annex 6 with three samples and six photos, cold and printed again; many records in one PDF; `/v/{code}`.

Seconds are also given as CPU seconds, which other work on the machine changes least.
"""

import io
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import requests
from obstore.store import LocalStore
from PIL import Image
from sqlalchemy import select

from assets.files.storage import Storage
from assets.paper import print_jobs
from assets.paper.form_sheet import fields_of, sheet
from assets.paper.papers import Paper, Press, data_of
from bench.bare_papers import compile_plainly
from bench.databases import place
from bench.server import product
from bench.tables import print_table
from core.db import make_engine
from core.forms.form import Form
from core.prints.models import Print
from inspection.printing import record_paper

ROOT = Path(__file__).resolve().parent.parent
URL = "https://demo.example.gov.cn/v/AbCdEfGhIjKlMnOpQrStUv"
BLOCK = {"product_name": "聚氯乙烯绝缘电缆", "product_model": "BV 2.5", "certificate_no": "2024010105000001",
         "7.4": "ok", "7.5": "ok", "7.6": "ok", "7.7": "ok"}  # fmt: skip


def report(_dialects: list[str], *, quick: bool) -> None:
    """Print the figures; which database there is makes no difference to a paper."""
    many, rounds = (50, 3) if quick else (500, 7)
    rows = _pages(50)  # 120 in a minute are answered
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        content = _photo()
        cold = [_timed(lambda: _press(folder, content).pdf(_annex6())) for _ in range(rounds)]
        press = _press(folder, content)
        press.pdf(_annex6())
        again = [_timed(lambda: press.pdf(_annex6())) for _ in range(rounds)]
        rows.append(["annex 6, 3 samples, 6 photos: first", *_said(cold), "<= 1.0 s"])
        rows.append(["the same printed again", *_said(again), "<= 0.3 s"])
        before = _memory()
        spent = _timed(lambda: _print_many(press, folder, many))
        grown = (_memory() - before) / 1024
        rows.append([f"{many} records in one PDF", f"{spent[0]:.1f}", f"{spent[1]:.1f}", f"<= {many * 60 / 500:.0f} s"])
        plain = compile_plainly([_record(number).data for number in range(many)])
        rows.append([f"{many} plain tables by typst alone", "", f"{plain:.1f}", f"ratio {spent[1] / plain:.1f}"])
        rows.append([f"its memory: {grown:.0f} MB above idle", "", "", "<= 300 MB"])
    print_table("Papers", ["what", "seconds", "CPU seconds", "goal"], rows)


def _pages(rounds: int) -> list[list[str]]:
    """The page of a print on a real server with the demo, beside an address that it only refuses."""
    with place("sqlite") as where, product(where, DEMO="1") as server:
        base = f"http://127.0.0.1:{server.port}"
        accounts = json.loads((where.folder / "demo-accounts.json").read_text(encoding="utf-8"))
        one = next(account for account in accounts if account["username"] == "demo_tianning")
        body = {name: one[name] for name in ("username", "password")}
        with requests.Session() as caller:
            token = caller.post(f"{base}/api/v1/sessions", json=body, timeout=30).json()["token"]
            caller.headers["Authorization"] = f"Bearer {token}"
            asked = f"{base}/api/v1/inspections?page_size=1&status=submitted"
            record = caller.get(asked, timeout=30).json()["items"][0]["id"]
            caller.get(f"{base}/api/v1/inspections/{record}/record.pdf", timeout=60).raise_for_status()
            engine = make_engine(where.url)
            with engine.connect() as connection:
                code = connection.scalar(select(Print.code))
            engine.dispose()
            caller.get(f"{base}/v/{code}", timeout=30).raise_for_status()
            paths = (f"/v/{code}", "/v1/nothing")
            times = {path: [_answered(caller, base + path) for _ in range(rounds)] for path in paths}
    page, nothing = (sorted(times[path]) for path in paths)
    said = f"<= 20 ms; best {page[0] * 1000:.1f} ms"
    return [
        ["/v/{code}, at the client", f"{median(page):.4f}", "", said],
        ["an address that there is not", f"{median(nothing):.4f}", "", f"ratio {median(page) / median(nothing):.1f}"],
    ]


def _answered(caller: requests.Session, url: str) -> float:
    began = time.monotonic()
    caller.get(url, timeout=30)
    return time.monotonic() - began


def _press(place: Path, photo: bytes) -> Press:
    return Press(place / "own", place / "fonts", lambda _key: photo)


def _annex6() -> Paper:
    form = _form("ccc-production")
    answers = {item["no"]: "ok" for section in form.definition["sections"] for item in section["items"] if "no" in item}
    body = {"org_name": "常州某某电缆有限公司", "inspectors": ["甲", "乙"], "leader": "甲", "check_date": "2026-11-20",
            "answers": answers, "samples": [BLOCK] * 3}  # fmt: skip
    names = [f"photo-{number}.jpg" for number in range(6)]
    said = _what(form, body)
    data = data_of(said, "0" * 64, URL, photos=[{"label": "现场照片", "files": names}])
    return Paper("1", record_paper.template_of(form), data, photos=dict.fromkeys(names, "key"))


def _record(number: int) -> Paper:
    form = _form("gpc-production")
    said = _what(form, {"org_name": f"常州第{number}电缆厂", "inspectors": ["甲", "乙"], "check_date": "2026-11-20"})
    return Paper(str(number), record_paper.template_of(form), data_of(said, "0" * 64, URL))


def _print_many(press: Press, place: Path, many: int) -> None:
    (place / "files").mkdir(exist_ok=True)
    storage = Storage(LocalStore(place / "files"), place / "files")
    batch = print_jobs.batch(lambda *_: _record(0), press.pdfs, storage)
    job, asked = uuid4(), {"format": "pdf"}
    for first in range(0, many, batch.at_once):
        papers = [_record(number) for number in range(first, min(first + batch.at_once, many))]
        refused = [one for one in batch.make(job, first, papers, asked) if one is not None]
        if refused:
            raise RuntimeError(refused[0])
    batch.finish(job, asked)


def _what(form: Form, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "form": form.code, "title": form.title, "office": "天宁区市场监督管理局", "district": "天宁区", "year": 2026,
        "fields": fields_of(form, body), "number": "JC20261120-1A2B3C4D", **sheet(form, body),
    }  # fmt: skip


def _form(code: str) -> Form:
    path = sorted((ROOT / "inspection" / "forms").glob(f"{code}.v*.json"))[-1]
    return Form.compile(json.loads(path.read_text(encoding="utf-8")))


def _photo() -> bytes:
    target = io.BytesIO()
    Image.effect_noise((1600, 1200), 20).convert("RGB").save(target, "JPEG", quality=80)
    return target.getvalue()


def _timed(call: Callable[[], Any]) -> tuple[float, float]:
    began, cpu = time.monotonic(), _cpu()
    call()
    return time.monotonic() - began, _cpu() - cpu


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _memory() -> float:
    """Kilobytes at the most of this process and of its largest child."""
    return float(sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def _said(times: list[tuple[float, float]]) -> list[str]:
    return [f"{median(one for one, _ in times):.2f}", f"{median(one for _, one in times):.2f}"]
