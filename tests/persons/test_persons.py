"""A person has everything exported, and everything erased, in all rooms; nobody else loses anything."""

import dataclasses
import itertools
import json
import stat
from pathlib import Path
from typing import Any

import pyrage
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from backups import making, restoring
from cli.commands import Installation, cli
from core.db import Database
from core.persons import receipts
from core.workflows import erasure
from tests.backups.conftest import Place, place  # noqa: F401 - a fixture
from tests.command_line import command_line
from tests.persons.town import LI, ZHANG, Town, Traces


def erase(town: Town, who: Traces, **options: Any) -> Any:
    return town.run("persons", "erase", "--mobile", who.mobile, "--reason", "2026年第12号申请", **options)


def test_an_export_holds_every_word_of_the_person_and_why_it_is_kept_and_none_of_another(
    town: Town, tmp_path: Path
) -> None:
    to = tmp_path / "zhang.json"
    told = town.run("persons", "export", "--mobile", "+86 139-1234-5678", "--to", to)
    exported = to.read_text()
    assert [word for word in (ZHANG.mobile, ZHANG.name, ZHANG.comment, *ZHANG.words) if word not in exported] == []
    assert [word for word in LI.told if word in exported] == []
    for path in (to, to.with_name("zhang.json.txt")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert ZHANG.comment in path.read_text()
    records = json.loads(exported)["记录"]
    assert {
        "ratings", "freed_numbers", "sms_codes", "users", "account_applications", "inspections", "correction_requests",
        "filings", "files",
    } <= {record["位置"] for record in records}  # fmt: skip
    for record in records:
        assert record["处理目的"] and record["法律依据"] and record["保存期限"]
        assert all(one["说明"] and one["删除时"] for one in record["内容"])
    assert "回执 1" in told.stderr and ZHANG.mobile not in town.run("persons", "receipts").stdout
    assert "已存在" in town.run("persons", "export", "--mobile", ZHANG.mobile, "--to", to, status=2).stderr
    assert to.read_text() == exported


def test_after_an_erasure_no_word_of_the_person_is_found_anywhere_and_nobody_else_loses_any(town: Town) -> None:
    assert all(town.where_found(ZHANG.told).values()) and all(town.where_found(LI.told).values())
    before = town.standing(LI), town.where_found(LI.told)
    erase(town, ZHANG)
    assert {word: tables for word, tables in town.where_found(ZHANG.told).items() if tables} == {}
    assert [path for word in ZHANG.told for path in town.in_files(word)] == []
    assert (town.standing(LI), town.where_found(LI.told)) == before

    shown, beside = town.run("persons", "receipts").stdout, town.settings.data_dir / receipts.FILE
    assert "开始删除" in shown and "删除完成" in shown and "2026年第12号申请" in shown
    assert not any(word in shown + beside.read_text() for word in ZHANG.told)
    assert stat.S_IMODE(beside.stat().st_mode) == 0o600

    once = town.everything()
    assert "没有可删除的内容" in erase(town, ZHANG).stdout
    twice = town.everything()
    assert {name for name, rows in twice.items() if sorted(rows) != sorted(once[name])} == {
        "history", "history_payloads",  # the receipts
    }  # fmt: skip


def test_after_an_erasure_figures_are_as_before_and_what_the_law_has_kept_is_there(town: Town) -> None:
    def figures() -> tuple[Any, ...]:
        progress = town.sign_in("county_inspector").get("/statistics/progress").json
        return town.room.figures(), town.room.figures("city_supervisor"), progress

    town.run("history", "seal")
    counted, before = figures(), town.standing(ZHANG)
    erase(town, ZHANG)
    town.run("history", "verify")
    town.run("ratings", "reconcile")
    town.run("tallies", "reconcile")
    assert figures() == counted

    after = town.standing(ZHANG)
    kept = ("level", "tags", "status", "version", "closed_at", "real_name", "submitted_at")
    assert [after["ratings"][name] for name in kept] == [before["ratings"][name] for name in kept]
    said, says = before["inspections"]["data"], after["inspections"]["data"]
    assert says["answers"] == said["answers"] and says["disposals"] == said["disposals"]
    assert (says["contact_name"], says["contact_tel"], says["escort"]) == ("已删除", "已删除", "已删除")
    assert says["remark"] == "现场由已删除（已删除）陪同" and says["org_name"] == said["org_name"]

    for name, paths in {
        "county_inspector": [f"/inspections/{town.ids[ZHANG.name, 'inspection']}{more}" for more in ("", "/history")],
        "licence_reviewer": [f"/filings/{town.ids[ZHANG.name, 'filing']}{more}" for more in ("", "/history")],
        "supervisor": [f"/ratings/{town.ids[ZHANG.name, 'rating']}{more}" for more in ("", "/history")],
        "city_reviewer": ["/account-applications?status=approved"],
    }.items():
        person = town.sign_in(name)
        for path in paths:
            answer = person.get(path)
            assert answer.status_code == 200, (path, answer.get_data(as_text=True))
            assert not any(word in answer.get_data(as_text=True) for word in ZHANG.told)


@pytest.mark.parametrize(
    ("table", "change", "named"),
    [
        ("inspections", "conclusion = 'other'", "inspection"),
        ("inspection_versions", "reason = '企业要求'", "inspection"),
        ("correction_requests", "base_version = 7", "request"),
        ("filing_versions", "form_version = 7", "filing"),
        ("ratings", "comment = '办得很好'", "rating"),
        ("rating_follow_ups", "measures = '已整改'", "rating"),
        ("wechat_bindings", "operator_name = '乙某'", "user"),
    ],
)
def test_an_erasure_makes_nothing_right_that_was_changed_in_the_table(
    town: Town, table: str, change: str, named: str
) -> None:
    subject = town.ids[ZHANG.name, named]
    with town.database.write() as session:
        session.execute(text(f"UPDATE {table} SET {change}"))
    erase(town, ZHANG)
    told = town.run("history", "verify", status=1).stderr
    assert [line for line in told.splitlines() if str(subject) in line and "had been changed in the table" in line]


def test_an_account_that_is_in_use_stays_and_the_rest_goes(town: Town) -> None:
    username = f"officer_{ZHANG.mobile[3:6]}"
    town.run("users", "enable", username)
    told = erase(town, ZHANG, status=1)
    assert "请先停用" in told.stderr and town.where_found([ZHANG.comment]) == {ZHANG.comment: set()}
    assert town.standing(ZHANG)["users"]["mobile"] == ZHANG.mobile
    town.run("users", "disable", username, "--reason", "已调离")
    erase(town, ZHANG)
    assert {word: tables for word, tables in town.where_found(ZHANG.told).items() if tables} == {}


class _Killed(BaseException):
    """The process ends here."""


def test_an_erasure_that_was_cut_off_is_finished_by_the_next_one(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    appended, number = erasure.erase, itertools.count()

    def dies_at_the_third(*given: Any, **named: Any) -> int:
        if next(number) == 2:
            raise _Killed
        return appended(*given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "erase", dies_at_the_third)
        with pytest.raises(_Killed):
            CliRunner().invoke(
                cli, ["persons", "erase", "--mobile", ZHANG.mobile, "--reason", "申请"],
                obj=Installation(town.settings), catch_exceptions=False,
            )  # fmt: skip
    assert any(town.where_found(ZHANG.told).values())
    town.run("history", "verify")
    # Not even the number is needed: the receipt of the one that was cut off stands.
    assert "已重做 1 人的删除" in town.run("persons", "erase", "--again").stdout
    assert {word: tables for word, tables in town.where_found(ZHANG.told).items() if tables} == {}
    town.run("history", "verify")


def test_an_erasure_is_repeated_after_a_backup_from_before_it_was_restored(
    town: Town,
    place: Place,  # noqa: F811
    dialect: str,
    tmp_path: Path,
) -> None:
    secret = pyrage.x25519.Identity.generate()
    backed_up = town.settings.model_copy(update={"backup_recipient": str(secret.to_public())})
    backup = making.make(backed_up, town.database, folder=tmp_path / "backups")
    erase(town, ZHANG)
    restored = place(dialect)
    restoring.restore(restored, backup.path, [secret], lambda _line: None)
    with command_line(restored) as run:
        run("persons", "erase", "--again", "--receipts", town.settings.data_dir / receipts.FILE)
        run("history", "verify")
        assert "2026" in run("persons", "receipts").stdout
    again = dataclasses.replace(town, settings=restored, database=Database(restored.resolved_database_url))
    assert {word: tables for word, tables in again.where_found(ZHANG.told).items() if tables} == {}
    assert all(again.where_found(LI.told).values())
    again.database.dispose()


@pytest.mark.parametrize(("options", "sentence"), [
    (["--mobile", "12345"], "手机号不正确"), (["--resident-id", "320402199001011234"], "公民身份号码不正确"),
    ([], "--mobile 或 --resident-id"), (["--mobile", ZHANG.mobile], "请用 --reason"),
    (["--again", "--mobile", ZHANG.mobile], "不能同时指定号码"),
])  # fmt: skip
def test_what_cannot_be_is_refused_in_chinese(run: Any, options: list[str], sentence: str) -> None:
    assert sentence in run("persons", "erase", *options, status=2).stderr


def test_sealed_numbers_that_were_moved_to_other_rows_are_named_and_nothing_is_half_erased(town: Town) -> None:
    before = town.where_found(ZHANG.told)
    database = Installation(town.settings).database
    put = text("UPDATE ratings SET mobile = :mobile WHERE id = :id")
    with database.write() as session:
        numbers = [dict(row) for row in session.execute(text("SELECT id, mobile FROM ratings ORDER BY id")).mappings()]
        for row, other in itertools.pairwise([*numbers, numbers[0]]):
            session.execute(put, {"id": row["id"], "mobile": other["mobile"]})
    told = erase(town, ZHANG, status=2).stderr
    assert "无法解开" in told and "./manage history verify" in told and "ratings.mobile" in told
    with database.write() as session:
        session.execute(put, numbers)
    database.dispose()
    assert town.where_found(ZHANG.told) == before
