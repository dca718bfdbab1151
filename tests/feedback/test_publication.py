"""What the public reads: masked, filtered, published by rule or by a supervisor."""

import unicodedata
from pathlib import Path
from typing import Any

import pytest

from core.paging import PageRequest
from feedback import publication
from feedback.masking import mask
from feedback.public import PublicFilters, public, show_public
from feedback.publication import first_publicity, is_clean
from tests.feedback.room import Room, faults, refused


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("请联系13800000001处理", "请联系***********处理"),
        ("请联系１３８００００００01", "请联系***********"),
        ("电话 138-0000-0001。", "电话 *************。"),
        ("电话一三八零零零零零零零一", "电话***********"),
        ("身份证11010519491231002X，", "身份证******************，"),
        ("座机0519-81234567", "座机*************"),
        ("写信到 a.b+c@example.com 吧", "写信到 ***************** 吧"),
        ("张某某说的", "***说的"),
        ("", ""),
    ],
)
def test_numbers_addresses_and_the_own_name_are_masked(text: str, masked: str) -> None:
    assert mask(text, "张某某") == masked
    assert len(mask(text, "张某某")) == len(text)


@pytest.mark.parametrize(
    "number",
    [
        "138,0000,0001", "138，0000，0001", "138、0000、0001", "138（0000）0001", "138:0000:0001", "138～0000～0001",
        "138...0000...0001", "138|0000|0001", "138\u200d0000\u200d0001", "138\t0000\t\t0001", "138    0000    0001",
        "1.3.8.0.0.0.0.0.0.0.1", "1——3——8——0——0——0——0——0——0——0——1", "138 2026-11-20", "138,000,000,01",
        "13,800,000,001",
        "①③⑧⓪⓪⓪⓪⓪⓪⓪①", "❶❸❽⓿⓿⓿⓿⓿⓿⓿❶", "⑬⑧⓪⓪⓪⓪⓪⓪⓪①", "⒈⒊⒏0000000⒈", "１３８－００００－０００１", "𝟏𝟑𝟖𝟎𝟎𝟎𝟎𝟎𝟎𝟎𝟏",
        "壹叁捌零零零零零零零壹", "壹叁捌、零零零零、零零零壹", "一三八〇〇〇〇〇〇〇一",
        "一三八○○○○○○○一", "幺三八零零零零零零零幺",
        "1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣0️⃣0️⃣0️⃣0️⃣1️⃣", "+86 138 0000 0001", "0086-138-0000-0001", "99 13800000001",
        "１１０１０５１９４９１２３１００２Ｘ", "110105 19491231 002X", "110105，1949，1231，002x",
        "110105，491231，002", "0519，8123，4567",
        "（0519）8123（4567）", "6222，0000，0000，0000，000",
    ],
)  # fmt: skip
def test_personal_numbers_are_masked_however_they_are_written(number: str) -> None:
    masked = mask(f"请找{number}办理", "张某某")
    left = "".join(str(int(unicodedata.numeric(one))) for one in masked if unicodedata.numeric(one, None) is not None)
    assert (left, masked[:2], masked[-2:]) == ("", "请找", "办理")
    assert len(masked) == len(number) + 4


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20 办的，交了 3 次材料，共 120 元", "2026-11-20 10:30 来的，2026/11/21 09:05:10 走的",
        "2026年11月20日上午10点30分",
        "2026.11.20-2026.11.25 都在排队", "费用1,200,000.00元，退了35，000元",
        "交了1200000元", "拨打12345，110，12315都没用", "打12345 12315投诉", "2024、2025、2026 三年", "2024-2025年度",
        "一共跑了3、4、5、6、7次", "第一，第二，第三", "一二三号窗口", "13号窗口，5分钟办完",
    ],
)  # fmt: skip
def test_dates_amounts_and_hotlines_stay_readable(text: str) -> None:
    assert mask(text, "张某某") == text
    assert is_clean(text)


def test_what_may_be_a_number_or_two_times_stays_readable_for_the_person_who_decides() -> None:
    hours = "办公时间写的是9:00-11:30, 13:30-17:00"
    assert (mask(hours, "张某某"), first_publicity(hours)) == (hours, "pending")


@pytest.mark.parametrize(
    "text",
    [
        "打我138转0000转0001", "138这是0000我的0001号码", "一三八转零零零零转零零零一", "138 - - - - 0000 - - - - 0001",
        "138OOOO0001", "l38oooooool", "2026-11-13 80000，0001",
    ],
)  # fmt: skip
def test_a_number_that_could_not_be_masked_waits_for_a_person(text: str) -> None:
    assert first_publicity(text) == "pending"
    assert first_publicity("找我13800000001") == "shown"


@pytest.mark.parametrize("text", ["真他妈的慢", "真 他.妈 的慢", "ＦＵＣＫ you", "你们是sb吗", "加 微 信 聊"])
def test_a_text_with_a_listed_word_waits_for_a_person(text: str) -> None:
    assert not is_clean(text)


@pytest.mark.parametrize("text", [None, "", "服务很好", "插上usb就行", "这个妈妈很满意", "assess"])
def test_other_texts_are_shown_at_once(text: str | None) -> None:
    assert is_clean(text)


def test_an_installation_may_add_its_own_words(tmp_path: Path) -> None:
    own = tmp_path / "words.txt"
    own.write_text("# 本地\n三号窗口\n\n", encoding="utf-8")
    try:
        publication.install(own)
        assert not is_clean("三号窗口的人")
        assert not is_clean("他妈的")
        with pytest.raises(OSError):
            publication.install(tmp_path / "missing.txt")
    finally:
        publication.install(None)
    assert is_clean("三号窗口的人")


def published(room: Room, **filters: Any) -> list[dict[str, Any]]:
    with room.database.read() as session:
        return [show_public(row) for row in public(session, PublicFilters(**filters), PageRequest()).items]


def test_good_ratings_appear_at_once_without_name_and_number(room: Room) -> None:
    room.send(room.code(), mobile="13800000001", comment="找张某某 13800000001 <b>很快</b>")
    assert published(room) == [
        {
            "matter_name": "营业执照办理", "org_name": "天宁区市场监督管理局", "level": 5, "level_label": "非常满意",
            "tags": [{"code": 510, "text": "一窗受理一次办结"}], "comment": "找*** *********** <b>很快</b>",
            "rated_on": published(room)[0]["rated_on"], "reply": None, "replied_on": None,
        }
    ]  # fmt: skip


def test_bad_ratings_appear_with_the_reply_once_they_are_closed(room: Room) -> None:
    code = room.code()
    rating_id = room.standing(code, "fed_back")
    assert published(room) == []
    room.act("supervisor", rating_id, "close")
    assert [(one["level"], one["reply"]) for one in published(room)] == [(1, "已整改，感谢监督")]


def test_a_reply_is_masked_too(room: Room) -> None:
    rating_id = room.lead(room.bad(room.code()), "contact", "verify", "rectify", "reply", "close",
                          reply={"feedback_text": "已致电张某某13800000001致歉"})  # fmt: skip
    assert published(room)[0]["reply"] == "已致电**************致歉"
    assert room.rating(rating_id).publicity == "shown"


def test_a_text_that_must_be_read_first_waits_for_a_supervisor(room: Room) -> None:
    code = room.code()
    rating_id = room.send(code, comment="真他妈的好").id
    assert (room.rating(rating_id).publicity, published(room)) == ("pending", [])
    assert room.listed(publicity="pending") == [rating_id]
    assert refused(room.act, "handler", rating_id, "publish").code == "forbidden"
    assert refused(room.act, "neighbour_supervisor", rating_id, "publish").code == "not_found"
    room.act("supervisor", rating_id, "publish")
    assert len(published(room)) == 1
    assert refused(room.act, "supervisor", rating_id, "hide", version=1).code == "stale_version"
    for _ in range(2):
        assert room.act("supervisor", rating_id, "hide", version=2).publicity == "hidden"
    assert published(room) == []
    dirty = room.lead(room.bad(code, comment="你们是一群混蛋"), "contact", "verify", "rectify", "reply", "close")
    assert room.rating(dirty).publicity == "pending"


@pytest.mark.parametrize("where", ["comment", "reply"])
def test_a_closed_rating_with_a_number_that_could_not_be_masked_waits_too(room: Room, where: str) -> None:
    hidden = "请打138转0000转0001联系"
    rating_id = room.bad(room.code(), **({"comment": hidden} if where == "comment" else {}))
    reply = {"feedback_text": hidden} if where == "reply" else {}
    room.lead(rating_id, "contact", "verify", "rectify", "reply", "close", reply=reply)
    assert (room.rating(rating_id).publicity, published(room)) == ("pending", [])


@pytest.mark.parametrize("version", ["1", [1], True, 1.0, None, {}])
def test_a_decision_needs_a_version_that_is_a_whole_number(room: Room, version: Any) -> None:
    rating_id = room.send(room.code()).id
    code = "required" if version is None else "wrong_type"
    assert faults(refused(room.act, "supervisor", rating_id, "hide", version=version)) == {"/version": code}
    assert room.rating(rating_id).publicity == "shown"
    assert refused(room.act, "supervisor", rating_id, "hide", version=9).code == "stale_version"


def test_a_voided_rating_is_hidden(room: Room) -> None:
    assert room.rating(room.standing(room.code(), "voided")).publicity == "hidden"
    assert published(room) == []


def test_the_public_list_is_filtered(room: Room) -> None:
    room.send(room.code())
    room.send(room.code("neighbour_officer"), level=3, tags=[])
    office = room.people["officer"].office_id
    assert len(published(room)) == 2
    assert [one["level"] for one in published(room, office_id=office)] == [5]
    assert [one["level"] for one in published(room, region="320404")] == [3]
    assert [one["level"] for one in published(room, level=3, channel="qr_once")] == [3]
    assert len(published(room, region="320400")) == 2
    assert published(room, region="999999") == []
