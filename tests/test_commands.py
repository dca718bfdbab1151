"""The command line: what an administrator does, and how refusals read."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import pytest
import time_machine
from apiflask import APIFlask
from click.testing import CliRunner, Result
from sqlalchemy import delete, func, select, text, update

from accounts.models import Office, Region, User
from assets.files.models import File
from cli.commands import GROUPS, Installation, cli
from composition.jobs import background_jobs
from core.clock import now, today
from core.config import Settings
from core.db import Database
from core.deadlines import clocks
from core.jobs.sweeping import sweep_idempotency_keys
from core.models import CalendarDay, IdempotencyKey
from core.workflows import history
from inspection.dictionaries.models import DictionaryEntry
from inspection.statistics.models import EnterpriseTally
from tests import paperwork, parties
from tests.command_line import Run, command_line
from tests.people import PASSWORD, Person, SignIn, new_id, production, uscc

ROOT = Path(__file__).resolve().parent.parent
FORMS = ROOT / "inspection" / "forms"


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


def one_time_password(answer: Result) -> str:
    found = re.search(r"一次性密码：(\S+)", answer.stdout)
    assert found
    return found[1]


def history_of(database: Database, username: str) -> list[dict[str, Any]]:
    with database.read() as session:
        user_id = session.scalars(select(User.id).where(User.username == username)).one()
        return history.read(session, user_id)


def all_commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from all_commands(command, (*path, name))


# ---- help and refusals


@pytest.mark.parametrize("path", list(all_commands(cli)), ids=" ".join)
def test_every_command_explains_itself_without_touching_the_installation(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    answer = CliRunner().invoke(cli, [*path, "--help"])
    assert answer.exit_code == 0
    assert "Commands:" in answer.output or "./manage " in answer.output
    assert not (tmp_path / "data").exists()


def test_help_says_of_each_group_what_the_group_says_of_itself() -> None:
    ctx = click.Context(cli)
    for name, group in GROUPS.items():
        command = cli.get_command(ctx, name)
        assert command is not None
        assert (command.help or "").startswith(group.summary[:-1]), name


def test_the_version_is_that_of_the_newest_entry_of_the_changelog() -> None:
    said = CliRunner().invoke(cli, ["--version"]).stdout.strip()
    newest = re.search(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest and said == newest[1]


def test_help_imports_no_room_and_none_of_the_large_libraries() -> None:
    program = (
        "import sys; from cli.commands import cli\n"
        "try: cli(['--help'])\n"
        "except SystemExit: print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in done.stderr.split()}
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench", "cli"}
    assert "inspection" in rooms
    assert not imported & (rooms | {"sqlalchemy", "flask", "pydantic", "gunicorn", "alembic"})
    assert "cli.serving" not in done.stderr.split()


def test_a_command_on_a_database_without_tables_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'new.sqlite3'}", data_key="k" * 32)
    answer = CliRunner().invoke(cli, ["users", "list"], obj=Installation(settings))
    assert answer.exit_code == 2
    assert "./manage database upgrade" in answer.stderr


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql://x@127.0.0.1:1/x", data_key="k" * 32)
    answer = CliRunner().invoke(cli, ["users", "list"], obj=Installation(settings))
    assert answer.exit_code == 2
    assert "DATABASE_URL" in answer.stderr


def test_a_database_of_a_newer_version_is_refused(run: Run, database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "较新的版本" in run("database", "upgrade", status=2).stderr
    assert "较新的版本" in run("prepare", status=2).stderr


# ---- users


def test_a_created_user_signs_in_with_the_one_time_password_and_must_change_it(run: Run, sign_in: SignIn) -> None:
    answer = run("users", "create", "--level", "province", "--region", "320000", "--username", "new_province")
    password = one_time_password(answer)
    me = sign_in("new_province", password).get("/me").json
    assert me is not None
    assert me["must_change_password"] is True
    assert me["level"] == "province"
    assert me["roles"] == ["inspector", "account_approver"]


def test_creating_a_user_leaves_a_history_row_that_names_the_command_line(run: Run, database: Database) -> None:
    run("users", "create", "--region", "320402", "--username", "made_here", "--role", "account_approver")
    (row,) = history_of(database, "made_here")
    assert (row["action"], row["from"], row["to"], row["actor"]) == ("create", None, "active", "命令行")
    assert row["operator_name"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--level", "city", "--region", "320402", "--username", "abc"], "与 --level city 不符"),
        (["--region", "999999", "--username", "abc"], "999999"),
        (["--region", "320402", "--username", "a b"], "用户名"),
        (["--region", "320402", "--username", "county_inspector"], "用户名已被使用"),
        (["--region", "320402", "--username", "County_Inspector"], "用户名已被使用"),
        (["--office", str(UUID(int=0)), "--username", "abc"], "offices list"),
    ],
)
def test_a_user_that_cannot_be_created_is_refused_with_the_reason(
    run: Run, database: Database, arguments: list[str], told: str
) -> None:
    with database.read() as session:
        before = session.scalar(select(func.count()).select_from(User))
    answer = run("users", "create", *arguments, status=1)
    assert told in answer.stderr
    assert "一次性密码" not in answer.output
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(User)) == before


def test_accounts_of_enterprises_are_not_made_here(
    run: Run, application: APIFlask, database: Database, sign_in: SignIn
) -> None:
    """A bureau hands them over, which also makes the office that stands for the enterprise."""
    reviewer = parties.prepare(application, sign_in).far_reviewer
    assert reviewer.post(f"/enterprises/{parties.FAR_WORKS}/users", {}).status_code == 201
    with database.read() as session:
        before = session.execute(select(Office.id, Office.areas).order_by(Office.id)).all()
        office_id = session.scalars(select(Office.id).where(Office.kind == "enterprise").limit(1)).one()
    refused = [
        ["users", "create", "--region", "320402", "--username", "made_here", "--role", "enterprise"],
        ["users", "create", "--region", "320402", "--username", "made_here", "--role", "inspector",
         "--role", "enterprise"],
        ["users", "create", "--region", "320402", "--username", f"{uscc(7).lower()}@fen"],
        ["users", "create", "--office", office_id, "--username", "made_here", "--role", "inspector"],
        ["offices", "create", "--kind", "enterprise", "--name", "某某公司", "--region", "320402"],
        ["offices", "create", "--name", "某所", "--region", "320402", "--parent", office_id],
        ["offices", "cover", office_id, "320402"],
    ]  # fmt: skip
    for command in refused:
        told = run(*command, status=1)
        assert "POST /api/v1/enterprises/" in told.stderr, command
    with database.read() as session:
        assert session.execute(select(Office.id, Office.areas).order_by(Office.id)).all() == before
        assert session.scalar(select(User.id).where(User.username == "made_here")) is None


def test_region_and_office_together_are_refused(run: Run) -> None:
    run("users", "create", "--username", "abc", status=2)
    run("users", "create", "--username", "abc", "--region", "320402", "--office", UUID(int=0), status=2)


def test_a_reset_ends_sessions_and_lifts_the_block(run: Run, sign_in: SignIn, database: Database) -> None:
    person = sign_in("county_inspector")
    wrong = {"username": "county_inspector", "password": "wrong-password-1"}
    headers = {"Authorization": ""}
    for _ in range(12):
        person.client.post("/api/v1/sessions", json=wrong, headers=headers)
    assert person.client.post("/api/v1/sessions", json=wrong).status_code == 429
    password = one_time_password(run("users", "reset-password", "county_inspector"))
    assert person.get("/me").status_code == 401
    body = {"username": "county_inspector", "password": PASSWORD}
    assert person.client.post("/api/v1/sessions", json=body).status_code == 401
    assert sign_in("county_inspector", password).get("/me").json["must_change_password"] is True
    assert history_of(database, "county_inspector")[-1]["action"] == "administrator_reset_password"


def test_a_disabled_user_is_refused_at_the_next_request_and_may_be_enabled_again(
    run: Run, county_inspector: Person, sign_in: SignIn, database: Database
) -> None:
    run("users", "disable", "county_inspector", "--reason", "调离")
    assert county_inspector.get("/me").status_code == 401
    answer = run("users", "disable", "county_inspector", "--reason", "调离", status=1)
    assert "停用" in answer.stderr
    run("users", "enable", "county_inspector")
    sign_in("county_inspector")
    actions = [row["action"] for row in history_of(database, "county_inspector")]
    assert actions == ["create", "administrator_disable", "administrator_enable"]
    assert history_of(database, "county_inspector")[1]["reason"] == "调离"


def test_an_unknown_user_is_named(run: Run) -> None:
    for command in (["reset-password"], ["disable", "--reason", "x"], ["enable"]):
        assert "没有用户“nobody_here”" in run("users", *command, "nobody_here", status=1).stderr


def test_users_are_listed_by_region(run: Run) -> None:
    listed = run("users", "list", "--region", "320400").stdout
    assert "county_inspector" in listed and "city_reviewer" in listed
    assert "other_city_user" not in listed and "province_user" not in listed
    assert "county_inspector" not in run("users", "list", "--q", "%").stdout


# ---- offices and regions


def test_an_office_is_created_listed_and_told_what_it_covers(run: Run, sign_in: SignIn) -> None:
    made = run("offices", "create", "--name", "天宁区某街道市场监管所", "--region", "320402")
    office_id = made.stdout.split("编号：")[1].strip()
    password = one_time_password(run("users", "create", "--office", office_id, "--username", "at_the_station"))
    run("offices", "cover", office_id, "320402", "320404")
    assert "320402、320404" in run("offices", "list", "--q", "街道").stdout
    person = sign_in("at_the_station", password)
    assert person.get("/me").json["office"] == {
        "id": office_id, "name": "天宁区某街道市场监管所", "kind": "station"
    }  # fmt: skip


def test_an_office_is_given_the_number_at_which_the_public_calls_it(run: Run) -> None:
    made = run("offices", "create", "--name", "天宁区某街道市场监管所", "--region", "320402")
    office_id = made.stdout.split("编号：")[1].strip()
    assert "服务电话：0519-86660000" in run("offices", "hotline", office_id, " 0519-86660000 ").stdout
    assert "0519-86660000" in run("offices", "list", "--q", "街道").stdout
    for wrong in ("请拨打", "12", "0519-8666-0000-0000-0000-0000", "0519;12345"):
        assert "服务电话应为数字" in run("offices", "hotline", office_id, wrong, status=1).stderr
    run("offices", "hotline", office_id, status=2)
    run("offices", "hotline", office_id, "--none")
    assert "0519-86660000" not in run("offices", "list", "--q", "街道").stdout


def test_whoever_works_at_a_station_is_an_inspector_and_approves_nobody(run: Run, sign_in: SignIn) -> None:
    """Whatever the region: a station acts as a county user does (spec common.md, §2)."""
    made = run("offices", "create", "--name", "常州市某开发区市场监管所", "--region", "320400")
    office_id = made.stdout.split("编号：")[1].strip()
    password = one_time_password(run("users", "create", "--office", office_id, "--username", "at_the_station"))
    assert sign_in("at_the_station", password).get("/me").json["roles"] == ["inspector"]


def test_an_office_in_or_over_an_unknown_region_is_refused(run: Run, database: Database) -> None:
    assert "999999" in run("offices", "create", "--name", "某所", "--region", "999999", status=1).stderr
    with database.read() as session:
        office = session.scalars(select(Office).where(Office.region_code == "320402")).one()
    assert "999999" in run("offices", "cover", office.id, "320402", "999999", status=1).stderr
    with database.read() as session:
        assert session.get_one(Office, office.id).areas == office.areas


def test_regions_loaded_again_change_nothing(run: Run, database: Database) -> None:
    assert "新增" in run("regions", "load").stdout
    with database.read() as session:
        before = session.execute(select(Region.__table__).order_by(Region.code)).all()
    assert "新增 0，更新 0" in run("regions", "load").stdout
    with database.read() as session:
        assert session.execute(select(Region.__table__).order_by(Region.code)).all() == before


# ---- forms


def test_publishing_again_changes_nothing_and_another_content_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("forms", "publish", FORMS).stdout.count("无变化") == len(list(FORMS.glob("*.json")))
    definition = json.loads((FORMS / "gpc-sales.v1.json").read_text())
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(definition | {"title": "另一个标题"}))
    assert "version" in run("forms", "publish", changed, status=1).stderr
    changed.write_text(json.dumps(definition | {"title": "另一个标题", "version": 5}))
    assert "已发布" in run("forms", "publish", changed).stdout
    listed = run("forms", "list").stdout
    assert re.search(r"gpc-sales +5 ", listed) and "另一个标题" in listed


def test_a_folder_is_published_older_versions_first_and_bad_files_are_named(run: Run, tmp_path: Path) -> None:
    definition = json.loads((FORMS / "gpc-sales.v1.json").read_text())
    for version in (9, 10):
        (tmp_path / f"gpc-sales.v{version}.json").write_text(json.dumps(definition | {"version": version}))
    (tmp_path / "broken.json").write_text('{"code": ')
    (tmp_path / "faulty.json").write_text(json.dumps(definition | {"version": 0}))
    answer = run("forms", "publish", tmp_path, status=1)
    assert "broken.json: 第 1 行" in answer.stderr
    assert "faulty.json: /version" in answer.stderr
    assert answer.stdout.count("已发布") == 2


def test_an_exported_form_is_imported_as_it_was(run: Run, tmp_path: Path) -> None:
    for path in sorted(FORMS.glob("*.json")):
        definition = json.loads(path.read_text())
        run("forms", "export", definition["code"], definition["version"], tmp_path / "form.xlsx")
        run("forms", "import", tmp_path / "form.xlsx", "--out", tmp_path / "form.json")
        assert json.loads((tmp_path / "form.json").read_text()) == definition


def test_an_own_wording_goes_from_the_sheet_to_the_phone(
    run: Run, tmp_path: Path, county_inspector: Person, edited_sheet: Callable[..., Path]
) -> None:
    run("forms", "export", "gpc-sales", tmp_path / "form.xlsx")
    sheet = edited_sheet(tmp_path / "form.xlsx", {"version": 5}, {"是否健全销售台账": "是否健全销售台账（本局用语）"})
    assert "没有错误" in run("forms", "import", sheet, "--publish").stdout
    form = county_inspector.get("/forms/gpc-sales/5").json
    assert form is not None
    assert "是否健全销售台账（本局用语）" in json.dumps(form, ensure_ascii=False)


@pytest.fixture
def edited_sheet() -> Callable[..., Path]:
    """A workbook written anew with keys of the form and texts of items changed."""

    def edited(path: Path, keys: dict[str, Any], texts: dict[str, str]) -> Path:
        import xlsxwriter

        from assets.tables.reading import read_sheets

        sheets = read_sheets(path)
        with xlsxwriter.Workbook(str(path)) as book:
            for name, rows in sheets.items():
                sheet = book.add_worksheet(name)
                for y, row in enumerate(rows):
                    for x, cell in enumerate(row):
                        shown = keys.get(str(row[0]), cell) if name == "form" and x == 1 else cell
                        shown = texts.get(str(shown), shown)
                        if shown not in ("", None):
                            sheet.write(y, x, shown)
        return path

    return edited


def test_faults_of_a_sheet_are_told_by_cell(
    run: Run, tmp_path: Path, edited_sheet: Callable[..., Path], database: Database
) -> None:
    run("forms", "export", "gpc-sales", tmp_path / "form.xlsx")
    sheet = edited_sheet(tmp_path / "form.xlsx", {"version": "第三版"}, {"text": "texte", "disposal": "dispose"})
    answer = run("forms", "import", sheet, "--publish", "--out", tmp_path / "out.json", status=1)
    assert re.search(r"^form!B2: ", answer.stderr, re.MULTILINE)
    assert re.search(r"^items![A-Z]+1: ", answer.stderr, re.MULTILINE)
    assert not (tmp_path / "out.json").exists()
    assert "gpc-sales       5" not in run("forms", "list").stdout


def test_a_formula_with_an_error_is_no_empty_cell_of_a_form(
    run: Run, tmp_path: Path, edited_sheet: Callable[..., Path]
) -> None:
    run("forms", "export", "gpc-sales", tmp_path / "form.xlsx")
    sheet = edited_sheet(tmp_path / "form.xlsx", {"accept_until": "#REF!", "title": "#N/A"}, {})
    assert "form!B3: 单元格显示公式错误“#N/A”" in run("forms", "import", sheet, "--publish", status=1).stderr


def test_what_is_no_workbook_or_no_form_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("not a workbook")
    run("forms", "import", tmp_path / "a.xlsx", status=2)
    run("forms", "import", tmp_path / "missing.xlsx", status=2)
    run("forms", "export", "no-such-form", tmp_path / "b.xlsx", status=2)
    run("forms", "export", "gpc-sales", 1, tmp_path / "no" / "such" / "folder.xlsx", status=2)


# ---- filings and files


def test_the_drawings_are_written_where_they_are_wanted(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "workflows.md"
    assert str(page) in run("filings", "draw", page).stdout
    assert page.read_text() == (FORMS.parent.parent / "docs" / "workflows.md").read_text()
    run("filings", "draw", tmp_path / "no" / "such" / "folder.md", status=2)


def test_uploads_that_nobody_claimed_are_swept_by_the_command_and_by_the_server(
    run: Run, application: APIFlask, database: Database, clock: Any, sign_in: SignIn
) -> None:
    def upload() -> str:
        return parties.upload(sign_in("county_inspector"), paperwork.pdf(), "报告.pdf", "self_check_report")

    def files() -> int:
        with database.read() as session:
            return session.scalars(select(func.count()).select_from(File)).one()

    upload()
    assert "未使用的上传 0 个" in run("files", "sweep").stdout
    clock.shift(25 * 3600)
    assert "未使用的上传 1 个" in run("files", "sweep").stdout
    assert files() == 0
    jobs = background_jobs(application)
    jobs.run_once()
    upload()
    clock.shift(25 * 3600)
    assert jobs.run_once()["file sweep"] == 1
    assert files() == 0


# ---- dictionaries, tallies, calendar, idempotency keys, database


def test_dictionaries_loaded_again_change_nothing(run: Run, database: Database) -> None:
    assert "新增 0；专项行动：新增 0" in run("dictionaries", "load").stdout
    with database.write() as session:
        session.execute(
            delete(DictionaryEntry).where(
                DictionaryEntry.product_code == "13", DictionaryEntry.regulation_type == "other"
            )
        )
    assert "新增 1；" in run("dictionaries", "load").stdout


def test_reconciling_mends_a_tally_that_is_wrong(run: Run, database: Database, county_inspector: Person) -> None:
    county_inspector.put(f"/inspections/{new_id()}/submission", production())
    assert "一致 1，已更正 0" in run("tallies", "reconcile").stdout
    with database.write() as session:
        session.execute(update(EnterpriseTally).values(carried_out=7))
    assert "一致 0，已更正 1" in run("tallies", "reconcile").stdout
    with database.read() as session:
        assert session.scalars(select(EnterpriseTally.carried_out)).all() == [1]


def test_the_calendar_keeps_the_last_word_about_a_day(run: Run, database: Database) -> None:
    run("calendar", "set", "2027-02-06", "working")
    run("calendar", "set", "2027-02-06", "off")
    with database.read() as session:
        assert [(d.day.isoformat(), d.working) for d in session.scalars(select(CalendarDay))] == [("2027-02-06", False)]
    assert "休息日" in run("calendar", "list").stdout
    run("calendar", "set", "2027-02-30", "off", status=2)


def test_a_year_counts_as_known_once_it_is_stated_to_be_complete(
    run: Run, database: Database, clock: time_machine.Traveller
) -> None:
    clock.move_to("2098-11-01T10:00+08:00")
    run("calendar", "complete", 2099, status=2)
    run("calendar", "set", "2099-01-01", "off")
    listed = run("calendar", "list")
    assert "2098年" in listed.stderr and "2099年" in listed.stderr and "calendar complete 2099" in listed.stderr
    run("calendar", "complete", 2099)
    run("calendar", "complete", 2099)
    listed = run("calendar", "list")
    assert "已录入完整的年份：2099" in listed.stdout and "2099年" not in listed.stderr
    with database.read() as session:
        assert clocks.working_calendar(session).unknown_years(date(2099, 6, 1)) == []


def test_only_old_idempotency_keys_are_swept(run: Run, clock: Any, sign_in: SignIn) -> None:
    person, record_id = sign_in("county_inspector"), new_id()
    person.put(f"/inspections/{record_id}", production())
    assert "已删除 0 条" in run("idempotency-keys", "sweep", "--older-than", 1).stdout
    clock.shift(3 * 86400)
    assert "已删除 1 条" in run("receipts", "sweep", "--older-than", 2).stdout  # the former name
    run("idempotency-keys", "sweep", "--older-than", 0, status=2)


def test_old_idempotency_keys_are_swept_by_the_command_and_by_the_server(
    run: Run, application: APIFlask, database: Database, clock: Any, sign_in: SignIn
) -> None:
    def keys() -> int:
        with database.read() as session:
            return session.scalars(select(func.count()).select_from(IdempotencyKey)).one()

    def write(times: int) -> None:
        person = sign_in("county_inspector")
        for _ in range(times):
            person.put(f"/inspections/{new_id()}", production())

    write(2)
    clock.shift(179 * 86400)
    assert "已删除 0 条" in run("idempotency-keys", "sweep").stdout
    assert background_jobs(application).run_once()["idempotency keys"] == 0
    clock.shift(2 * 86400)
    write(1)
    assert background_jobs(application).run_once()["idempotency keys"] == 2
    assert keys() == 1
    clock.shift(181 * 86400)
    assert "已删除 1 条" in run("idempotency-keys", "sweep").stdout


def test_the_server_sweeps_once_a_day_what_nobody_needs_any_more(application: APIFlask, clock: Any) -> None:
    daily = {"file sweep", "made pictures", "idempotency keys", "failed sign-ins"}
    jobs = background_jobs(application)
    assert daily <= jobs.run_once().keys()
    clock.shift(23 * 3600)
    assert not daily & jobs.run_once().keys()
    clock.shift(2 * 3600)
    assert daily <= jobs.run_once().keys()


def test_more_idempotency_keys_than_go_at_once_are_swept_and_younger_ones_stay(database: Database, clock: Any) -> None:
    def take(how_many: int) -> None:
        with database.write() as session:
            session.add_all(IdempotencyKey(key=os.urandom(32), at=now()) for _ in range(how_many))

    take(1203)
    clock.shift(200 * 86400)
    take(300)
    assert sweep_idempotency_keys(database) == 1203
    assert sweep_idempotency_keys(database) == 0
    with database.read() as session:
        assert session.scalars(select(func.count()).select_from(IdempotencyKey)).one() == 300


def test_the_database_is_checked_against_the_code(run: Run, database: Database) -> None:
    from core.database import migrate

    run("database", "check")
    assert "已是最新" in run("database", "upgrade").stdout
    migrate.downgrade(database.engine, "-1")
    assert "database upgrade" in run("database", "check", status=1).stderr
    run("database", "upgrade")
    run("database", "check")


def test_commands_say_names_as_they_are_kept(run: Run, database: Database) -> None:
    typed = "  made\u200b_here\u00a0"
    told = run("users", "create", "--region", "320402", "--username", typed).output
    assert "已创建用户 made_here（" in told and "\u200b" not in told
    for arguments in (["disable", typed, "--reason", "离职"], ["enable", typed], ["reset-password", typed]):
        assert "用户 made_here" in run("users", *arguments).output
    told = run("offices", "create", "--name", " 某街道\u200b市场监管所 ", "--region", "320402").output
    assert "已创建机关 某街道市场监管所\n" in told
    with database.read() as session:
        assert session.scalars(select(Office.name).where(Office.name.contains("某街道"))).all() == ["某街道市场监管所"]


def test_offices_that_were_closed_are_marked_in_the_list(run: Run, database: Database) -> None:
    run("offices", "create", "--name", "某市场监管所", "--region", "320402")
    assert "（已撤并）" not in run("offices", "list", "--q", "某市场监管所").output
    with database.write() as session:
        session.scalars(select(Office).where(Office.name == "某市场监管所")).one().closed_on = today()
    assert "某市场监管所（已撤并）" in run("offices", "list", "--q", "某市场监管所").output
