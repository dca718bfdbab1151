"""Help: support groups of the own province, set on the command line, with a picture that is good for a week."""

import base64
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
import zxingcpp
from PIL import Image

from assets.paper import qr_codes
from core.config import Settings
from tests.command_line import Run, command_line
from tests.people import Person, SignIn
from tests.records import read

pytestmark = pytest.mark.usefixtures("clock")

LINK = "https://weixin.qq.com/g/AQYAAExample"


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "group.png"
    path.write_bytes(qr_codes.png(LINK, size=600))
    return path


def set_group(run: Run, name: str, *more: object, province: str = "320000", qq: str = "123456789") -> None:
    run("help", "set", "--province", province, "--name", name, "--qq", qq, *more)


def test_people_see_the_groups_of_their_own_province(run: Run, county_inspector: Person, sign_in: SignIn) -> None:
    assert read(county_inspector, "/help")["items"] == []
    set_group(run, "江苏支持二群", qq="200000")
    set_group(run, "江苏支持一群")
    set_group(run, "浙江支持群", province="330000")
    shown = read(county_inspector, "/help")
    assert [(item["name"], item["qq_group"], item["picture"]) for item in shown["items"]] == [
        ("江苏支持一群", "123456789", None), ("江苏支持二群", "200000", None),
    ]  # fmt: skip
    assert [item["name"] for item in read(sign_in("other_province_user"), "/help")["items"]] == ["浙江支持群"]


def test_the_picture_shows_for_seven_days_and_then_the_qq_group_stands_alone(
    run: Run, picture: Path, county_inspector: Person, sign_in: SignIn, clock: time_machine.Traveller
) -> None:
    set_group(run, "江苏支持一群", "--picture", picture)
    (item,) = read(county_inspector, "/help")["items"]
    assert item["picture_until"] == "2026-11-28T02:00:00Z"
    head, _, content = item["picture"].partition(",")
    assert head == "data:image/jpeg;base64"
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(base64.b64decode(content))))
    assert code.text == LINK
    clock.shift(timedelta(days=7) - timedelta(seconds=1))
    county_inspector = sign_in("county_inspector")
    assert read(county_inspector, "/help")["items"][0]["picture"]
    clock.shift(timedelta(seconds=1))
    (item,) = read(county_inspector, "/help")["items"]
    assert (item["picture"], item["picture_until"], item["qq_group"]) == (None, None, "123456789")
    assert "已过期" in run("help", "list").output
    set_group(run, "江苏支持一群", "--picture", picture)
    assert read(county_inspector, "/help")["items"][0]["picture"]


def test_a_group_is_changed_by_its_name_and_removed_by_its_id(
    run: Run, picture: Path, county_inspector: Person
) -> None:
    set_group(run, "江苏支持一群", "--picture", picture)
    set_group(run, "江苏支持一群", qq="987654321")
    (item,) = read(county_inspector, "/help")["items"]
    assert item["qq_group"] == "987654321"
    assert item["picture"]
    run("help", "remove", item["id"])
    assert read(county_inspector, "/help")["items"] == []
    assert "没有这个编号" in run("help", "remove", item["id"], status=1).output


def test_what_cannot_be_is_refused_in_words(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "no-picture.png"
    text.write_text("no picture")
    for arguments, said in (
        (("--province", "320400", "--name", "群", "--qq", "123456"), "不是省级行政区划代码"),
        (("--province", "999999", "--name", "群", "--qq", "123456"), "不是省级行政区划代码"),
        (("--province", "320000", "--name", "群", "--qq", "一二三"), "QQ群号"),
        (("--province", "320000", "--name", "群", "--qq", "123456", "--picture", text), "无法读取"),
    ):
        assert said in run("help", "set", *arguments, status=1).output
