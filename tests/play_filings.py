"""An enterprise and a bureau play all four kinds of filings over HTTP, with real documents made on the spot.

    python -m tests.play_filings [--database postgresql] [--storage s3]

A real server is started on an empty installation, the register comes in by the command line. Each step
is printed with its outcome; exit status 1 at the first that goes otherwise than the story has it.
"""

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageOps

from tests import object_storage, paperwork
from tests.databases import postgres_database
from tests.parties import DECLARATION, WORKS
from tests.people import new_id, with_problem
from tests.player import Player, Surprise
from tests.servers import ROOT, running_server

Json = dict[str, Any]
TODAY = date.today()
_PASSWORD = "Xin-Min-2026"


@contextmanager
def installation(database: str, storage: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder and the environment of an empty installation, gone afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gongpin-play-")))
        # The captcha is a picture for people; how it is asked for is tested elsewhere.
        environment = {"DEMO": "0", "ENTERPRISE_CAPTCHA": "after_failure", "LOG_LEVEL": "ERROR"}
        if database == "postgresql":
            url = stack.enter_context(postgres_database())
            environment["DATABASE_URL"] = url.render_as_string(hide_password=False)
        if storage == "s3":
            settings = object_storage.on_s3(object_storage.local(folder))
            environment |= {
                "S3_BUCKET": settings.s3_bucket, "S3_ENDPOINT": settings.s3_endpoint,
                "S3_ACCESS_KEY_ID": settings.s3_access_key_id,
                "S3_SECRET_ACCESS_KEY": settings.s3_secret_access_key.get_secret_value(),
            }  # fmt: skip
        yield folder, environment


class Stage:
    """The running installation: its command line, and the parts that are played."""

    def __init__(self, base: str, folder: Path, environment: dict[str, str]) -> None:
        self.base, self._folder = base, folder
        self._environment = {**os.environ, "DATA_DIR": str(folder), **environment}

    def manage(self, *arguments: str) -> str:
        """Run a command of the command line."""
        command = [sys.executable, "cli/__main__.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, timeout=120)
        print(f"{'ok ' if done.returncode == 0 else '!! '} manage {' '.join(arguments[:2])} -> {done.returncode}")
        if done.returncode != 0:
            raise Surprise(done.stdout + done.stderr)
        return done.stdout

    def table(self, name: str, *rows: tuple[str, ...]) -> str:
        """A .csv file as an office would export it; its path."""
        path = self._folder / name
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            csv.writer(file).writerows(rows)
        return str(path)

    def signed_in(self, name: str, username: str, one_time: str) -> Player:
        """Sign in with a one-time password, which opens nothing until it is changed."""
        player = Player(name, self.base)
        credentials = {"username": username, "password": one_time, "operator_name": "张三"}
        player.token = player.does("signs in", "POST", "/sessions", credentials, expect=201).json["token"]
        player.does("wants to go on", "GET", "/todos", expect=403, code="password_change_required")
        change = {"old_password": one_time, "new_password": _PASSWORD}
        player.does("changes the one-time password", "PUT", "/me/password", change)
        return player

    def officer(self, name: str, username: str, role: str) -> Player:
        """A user of the bureau of 天宁区."""
        said = self.manage("users", "create", "--username", username, "--region", "320402", "--role", role)
        found = re.search(r"一次性密码：(\S+)", said)
        assert found
        return self.signed_in(name, username, found[1])


def play(stage: Stage) -> None:
    """The story from the register to the last filing; raises `Surprise`."""
    heads = ("统一社会信用代码", "企业名称", "行政区划代码", "住所", "产品类别")
    works = (WORKS, DECLARATION["org_name"], "320402", DECLARATION["registered_address"], "06")
    stage.manage("enterprises", "import", stage.table("enterprises.csv", heads, works), "--yes")
    heads = ("证书编号", "统一社会信用代码", "产品类别", "产品明细", "有效期至")
    licence = (DECLARATION["licence_no"], WORKS, "电线电缆", "塑料绝缘控制电缆", "2028-12-31")
    stage.manage("licences", "import", stage.table("licences.csv", heads, licence), "--yes")
    bureau = stage.officer("局方", "licence_reviewer", "licence_reviewer")
    inspector = stage.officer("检查员", "inspector", "inspector")
    handed = bureau.does("hands the enterprise its account", "POST", f"/enterprises/{WORKS}/users", {}, expect=201)
    enterprise = stage.signed_in("企业", WORKS, handed.json["password"])
    declaration(enterprise, bureau)
    report(enterprise, bureau)
    rectification(enterprise, bureau, inspector)
    tables(enterprise, bureau)
    for player in (enterprise, bureau):
        player.finds("open to-dos of filings", _todos(player, "finds nothing left to do"), [])
    stage.manage("history", "verify")


def declaration(enterprise: Player, bureau: Player) -> None:
    """数据申报: edited, sent, withdrawn, returned, sent again, approved; a new row appears."""

    def open_rows(what: str) -> list[Json]:
        return list(enterprise.does(what, "GET", "/filings?kind=data_declaration&status=update").json["items"])

    (row,) = open_rows("finds its row 更新申报")
    path = f"/filings/{row['id']}"
    enterprise.acts("sends what was never saved", row, "submit", expect=422, code="invalid")
    row = enterprise.does("fills it in", "PUT", path, {"data": DECLARATION, "version": row["version"]}).json
    row = enterprise.acts("sends it", row, "submit", "pending")
    row = enterprise.acts("takes it back", row, "withdraw", "update")
    row = enterprise.acts("sends it again", row, "submit", "pending")
    seen = bureau.does("reads it", "GET", path).json
    bureau.finds("mobile number", seen["data"]["contact_mobile"], DECLARATION["contact_mobile"])
    bureau.acts("returns it without a reason", seen, "return", expect=422, code="invalid")
    bureau.acts("returns it", seen, "return", "returned", comment="产品明细不全")
    bureau.acts("approves what it has returned", seen, "approve", expect=409, code="wrong_status")
    row = enterprise.does("reads the opinion", "GET", path).json
    enterprise.finds("opinion", row["opinion"], "产品明细不全")
    better = {**DECLARATION, "product_detail": "塑料绝缘控制电缆；架空绞线"}
    row = enterprise.does("corrects it", "PUT", path, {"data": better, "version": row["version"]}).json
    row = enterprise.acts("sends it once more", row, "submit", "pending")
    bureau.acts("approves it", row, "approve", "done")
    bureau.acts("approves it again: a repetition", row, "approve", "done")
    (fresh,) = open_rows("finds one new row 更新申报")
    data = enterprise.does("reads the new row", "GET", f"/filings/{fresh['id']}").json["data"]
    enterprise.finds("what was approved", data["product_detail"], better["product_detail"])
    versions = bureau.does("reads the versions", "GET", f"{path}/versions").json["items"]
    bureau.finds("versions", [version["number"] for version in versions], [1, 2, 3])


def report(enterprise: Player, bureau: Player) -> None:
    """自查报告: a topic with a template, sent, taken back, corrected, read, returned all the same, read again."""
    template, topic, filing = paperwork.docx("自查报告模板"), new_id(), f"/filings/{new_id()}"
    template_id = bureau.uploads("uploads a template (python-docx)", template, "模板.docx", "template")
    body: Json = {"title": "2026年度自查", "year": 2026, "template_file_id": template_id}
    bureau.does("publishes the topic", "PUT", f"/self-check-topics/{topic}", body, expect=201)
    listed = enterprise.does("finds the topic", "GET", "/self-check-topics").json["items"]
    fetched = enterprise.does("fetches the template", "GET", f"/files/{listed[0]['template_file_id']}")
    enterprise.finds("template", fetched.content == template, True)
    enterprise.uploads("uploads a photo as report", paperwork.jpeg(), "报告.jpg", "self_check_report", expect=422)
    content = paperwork.pdf("self-check report, sealed")
    report_id = enterprise.uploads("uploads the report", content, "自查报告.pdf", "self_check_report")
    body = {
        "kind": "self_check_report", "subject": {"type": "self_check_topic", "id": topic},
        "data": {"check_date": TODAY.isoformat()}, "documents": _named("self_check_report", report_id),
    }  # fmt: skip
    row = enterprise.does("saves the report", "PUT", filing, body, expect=201).json
    bureau.does("looks for what was not sent", "GET", filing, expect=404)
    bureau.does("fetches what was not sent", "GET", f"/files/{report_id}", expect=404)
    bureau.does("previews what was not sent", "GET", f"/files/{report_id}/preview", expect=404)
    row = enterprise.acts("sends it", row, "submit", "unread")
    fetched = bureau.does("fetches the report", "GET", f"/files/{report_id}")
    bureau.finds("report", fetched.content == content, True)
    preview = bureau.does("previews it", "GET", f"/files/{report_id}/preview")
    bureau.finds("preview", preview.content == content, True)
    bureau.finds("status after looking", bureau.does("looks at it", "GET", filing).json["status"], "unread")
    row = enterprise.acts("takes it back", row, "withdraw", "editing")
    word = paperwork.docx("自查报告，已盖章")
    word_id = enterprise.uploads("uploads a better one (python-docx)", word, "自查报告.docx", "self_check_report")
    change = {"documents": _named("self_check_report", word_id), "version": row["version"]}
    row = enterprise.does("saves it", "PUT", filing, change).json
    still = bureau.does("keeps seeing what was sent", "GET", filing).json
    bureau.finds("document", still["documents"][0]["file_id"], report_id)
    row = enterprise.acts("sends it", row, "submit", "unread")
    row = enterprise.acts("takes it back once more", row, "withdraw", "editing")
    row = enterprise.acts("leaves it as it was", row, "cancel", "unread")
    row = bureau.acts("reads it", row, "read", "read")
    row = bureau.acts("cannot make it out after all", row, "return", "returned", comment="盖章不清楚")
    scan = paperwork.pdf("self-check report, sealed, scanned anew")
    scan_id = enterprise.uploads("uploads a better scan", scan, "自查报告.pdf", "self_check_report")
    change = {"documents": _named("self_check_report", scan_id), "version": row["version"]}
    row = enterprise.does("saves it", "PUT", filing, change).json
    row = enterprise.acts("sends it anew", row, "submit", "unread")
    bureau.acts("reads it", row, "read", "read")
    enterprise.acts("wants it back too late", row, "withdraw", expect=409, code="wrong_status")
    enterprise.does("deletes it too late", "DELETE", filing, expect=409)


def rectification(enterprise: Player, bureau: Player, inspector: Player) -> None:
    """整改: ordered from a check by one call, two photographed pages sent, returned, sent again, closed."""
    check = with_problem(uscc=WORKS, check_date=TODAY.isoformat(), form_version=1)
    check_id = new_id()
    inspector.does("submits a check with a problem", "PUT", f"/inspections/{check_id}/submission", check, expect=201)
    (shown,) = enterprise.does("finds the check", "GET", "/supervision-checks").json["items"]
    enterprise.finds("check", (shown["id"], shown["result"]), (check_id, "problems"))
    order = {"problem": "无证生产", "due_on": (TODAY + timedelta(days=10)).isoformat()}
    path = f"/inspections/{check_id}/rectification"
    ordered = bureau.does("orders a rectification", "POST", path, order, expect=201).json
    bureau.does("orders it again: a repetition", "POST", path, order)
    (shown,) = enterprise.does("finds the order beside the check", "GET", "/supervision-checks").json["items"]
    enterprise.finds("rectification", shown["rectification_id"], ordered["id"])
    (todo,) = _todos(enterprise, "finds the to-do")
    enterprise.finds("light", (todo["colour"], todo["due_on"]), ("yellow", order["due_on"]))
    row = enterprise.does("reads the order", "GET", f"/filings/{ordered['id']}").json
    enterprise.acts("sends nothing", row, "submit", expect=422, code="invalid")
    photo = paperwork.jpeg((1600, 1200), orientation=6, place=True)
    photo_id = enterprise.uploads("uploads a photo (Pillow)", photo, "整改.jpg", "rectification_report")
    second = paperwork.jpeg((1200, 1600), colour="navy")
    second_id = enterprise.uploads("uploads the second page", second, "整改2.jpg", "rectification_report")
    documents = [*_named("rectification_report", photo_id), *_named("rectification_report", second_id)]
    change = {"documents": documents, "version": row["version"]}
    row = enterprise.does("names both", "PUT", f"/filings/{row['id']}", change).json
    row = enterprise.acts("sends it", row, "submit", "to_follow")
    seen = Image.open(BytesIO(bureau.does("looks at the photo", "GET", f"/files/{photo_id}").content))
    facts = (ImageOps.exif_transpose(seen).size, dict(seen.getexif().get_ifd(ExifTags.IFD.GPSInfo)))
    bureau.finds("photo shown upright, its place taken out", facts, ((1200, 1600), {}))
    bureau.does("looks at the thumbnail", "GET", f"/files/{photo_id}/thumbnail")
    row = bureau.acts("returns it", row, "return", "to_upload", comment="照片看不清")
    word = paperwork.REPORT_DOC.read_bytes()
    word_id = enterprise.uploads("uploads a .doc (LibreOffice)", word, "整改报告.doc", "rectification_report")
    change = {"documents": _named("rectification_report", word_id), "version": row["version"]}
    row = enterprise.does("names it", "PUT", f"/filings/{row['id']}", change).json
    row = enterprise.acts("sends it", row, "submit", "to_follow")
    bureau.acts("closes it", row, "close", "closed")


def tables(enterprise: Player, bureau: Player) -> None:
    """自查表: without a problem it is done, with one it needs ledger and report and is closed by the bureau."""
    head = {"org_name": DECLARATION["org_name"], "legal_representative": "钱某", "filled_by": "孙某"}
    good = {str(number): "yes" for number in range(1, 11)} | {"2": "no"}
    good |= {"1.licence": "320402000000001", "6.methods": ["self"], "7.detail": "ok", "8.detail": "ok"}
    bad = good | {"8.detail": "bad", "8.problem": "台帐缺少批号"}
    body: Json = {"kind": "self_check_production", "data": {**head, "check_date": TODAY.isoformat(), "answers": good}}
    row = enterprise.does("fills in a table", "PUT", f"/filings/{new_id()}", body, expect=201).json
    enterprise.acts("sends it: no problem", row, "submit", "done")
    body["data"]["answers"] = bad
    row = enterprise.does("fills in a table with problems", "PUT", f"/filings/{new_id()}", body, expect=201).json
    enterprise.acts("sends it without the documents", row, "submit", expect=422, code="invalid")
    ledger = enterprise.uploads("uploads the ledger", paperwork.xlsx(), "台帐.xlsx", "declaration_attachment")
    pdf = enterprise.uploads("uploads the report", paperwork.pdf("done"), "整改报告.pdf", "rectification_report")
    documents = [*_named("hazard_ledger", ledger), *_named("rectification_report", pdf)]
    change = {"documents": documents, "version": row["version"]}
    row = enterprise.does("names them", "PUT", f"/filings/{row['id']}", change).json
    row = enterprise.acts("sends it", row, "submit", "rectifying")
    row = bureau.acts("returns it", row, "return", "draft", comment="台帐不全")
    row = enterprise.acts("sends it again", row, "submit", "rectifying")
    bureau.acts("closes it", row, "close", "closed")


def _todos(player: Player, what: str) -> list[Json]:
    """The open to-dos of filings; there may be others, to rate a service for example."""
    return [todo for todo in player.does(what, "GET", "/todos").json["items"] if todo["kind"] == "filing"]


def _named(category: str, file_id: str) -> list[dict[str, str]]:
    return [{"category": category, "file_id": file_id}]


def main(arguments: list[str] | None = None) -> int:
    """Play; 1 when something surprises."""
    parser = argparse.ArgumentParser(prog="python -m tests.play_filings", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--storage", choices=["local", "s3"], default="local")
    asked = parser.parse_args(arguments)
    with (
        installation(asked.database, asked.storage) as (folder, environment),
        running_server(folder, **environment) as base,
    ):
        try:
            play(Stage(base, folder, environment))
        except (Surprise, AssertionError, LookupError, ValueError) as surprise:
            print(f"!!  {surprise!r}", file=sys.stderr)
            return 1
    print(f"all four kinds were played on {asked.database} and {asked.storage}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
