"""What the public reads: masked, filtered, published by rule or by a supervisor."""

import unicodedata
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from core.database.paging import PageRequest
from core.workflows import history
from feedback.ratings import word_list
from feedback.ratings.masking import mask
from feedback.ratings.public import PublicFilters, public, public_as_json
from feedback.ratings.publication import first_publicity, release_several
from feedback.ratings.rating_window import RatingRules
from feedback.ratings.word_list import holds_a_listed_word, is_harmless
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


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("车牌苏D12345停在门口", "车牌*******停在门口"), ("苏D·A1234B", "*********"), ("沪AD12345", "********"),
        ("微信号zhang_san88", "微信号***********"), ("加VX：abc12345", "加VX：********"), ("QQ 12345", "QQ *****"),
        ("邮箱 abc(at)example.com", "邮箱 ******************"), ("abc at example dot com", "**********************"),
    ],
)  # fmt: skip
def test_plates_accounts_and_spelled_addresses_are_masked(text: str, masked: str) -> None:
    assert mask(text, "张某某") == masked


AUTOMATIC = RatingRules(shows_harmless_texts=True)


@pytest.mark.parametrize(
    "text",
    [
        "傻B", "傻 逼", "沙比", "你傻屄", "煞笔玩意儿", "nmsl", "他媽的", "他.妈.的", "法輪", "滾蛋", "ＦＵＣＫ",
        "亻尔妈", "行 賄", "加微信", "加 薇 信", "见 example点com", "www.example.com", "见①②③④⑤", "苏D12345",
        "十三八零零零零零零零一", "张老师很好", "李工很专业", "王某某态度差", "他叫张三丰", "工号零零八", "住址在河边",
        "服务好😀", "3号窗口", "你们是sb吗",
    ],
)  # fmt: skip
def test_whatever_might_name_or_insult_somebody_waits_for_a_person_in_every_installation(
    text: str,
) -> None:
    assert not is_harmless(text)
    assert first_publicity(AUTOMATIC, 5, text) == "pending"


@pytest.mark.parametrize(
    "text",
    [
        "服务很好，速度快",
        "服务热情周到，办事效率高，给个赞！",
        "一次办好。\n不用再跑",
        "這次辦得很順利",
        "插上就行，这个妈妈很满意",
    ],
)  # fmt: skip
def test_harmless_praise_is_shown_at_once_where_the_installation_says_so(text: str) -> None:
    assert first_publicity(AUTOMATIC, 3, text) == "shown"
    assert first_publicity(AUTOMATIC, 2, text) == "pending"
    assert first_publicity(RatingRules(), 5, text) == "pending"


@pytest.mark.parametrize(("level", "publicity"), [(5, "shown"), (3, "shown"), (2, "pending"), (1, "pending")])
def test_without_a_text_only_the_reply_to_a_bad_rating_waits(level: int, publicity: str) -> None:
    assert first_publicity(RatingRules(), level, None) == publicity


def test_an_installation_may_add_its_own_words(tmp_path: Path) -> None:
    own = tmp_path / "words.txt"
    own.write_text("# 本地\n东方窗口\n\n", encoding="utf-8")
    try:
        word_list.install(own)
        assert holds_a_listed_word("東方窗口的人")
        assert holds_a_listed_word("他妈的")
        with pytest.raises(OSError):
            word_list.install(tmp_path / "missing.txt")
    finally:
        word_list.install(None)
    assert not holds_a_listed_word("东方窗口的人")


def published(room: Room, **filters: Any) -> list[dict[str, Any]]:
    with room.database.read() as session:
        return [public_as_json(row) for row in public(session, PublicFilters(**filters), PageRequest()).items]


def test_level_and_tags_are_public_at_once_and_the_text_once_a_person_released_it(room: Room) -> None:
    rating_id = room.send(room.code(), mobile="13800000001", comment="找张某某 13800000001 <b>很快</b>").id
    at_once = {
        "matter_name": "营业执照办理", "org_name": "天宁区市场监督管理局", "level": 5, "level_label": "非常满意",
        "tags": [{"code": 510, "text": "一窗受理一次办结"}], "comment": None,
        "rated_on": published(room)[0]["rated_on"], "reply": None, "replied_on": None,
    }  # fmt: skip
    assert published(room) == [at_once]
    room.act("supervisor", rating_id, "release")
    assert published(room) == [{**at_once, "comment": "找*** *********** <b>很快</b>"}]


def test_texts_of_a_bad_rating_are_released_once_it_is_closed(room: Room) -> None:
    rating_id = room.standing(room.code(), "fed_back")
    assert [(one["level"], one["comment"], one["reply"]) for one in published(room)] == [(1, None, None)]
    assert refused(room.act, "supervisor", rating_id, "release").code == "wrong_status"
    room.act("supervisor", rating_id, "close")
    assert published(room)[0]["reply"] is None
    room.act("supervisor", rating_id, "release")
    assert published(room)[0]["reply"] == "已整改，感谢监督"


def test_a_reply_is_masked_too(room: Room) -> None:
    room.lead(room.bad(room.code()), "contact", "verify", "rectify", "reply", "close", "release",
              reply={"feedback_text": "已致电张某某13800000001致歉"})  # fmt: skip
    assert published(room)[0]["reply"] == "已致电**************致歉"


def test_a_text_is_released_or_withheld_by_a_supervisor_with_a_reason(room: Room) -> None:
    rating_id = room.send(room.code(), comment="真他妈的好").id
    assert room.listed(publicity="pending") == [rating_id]
    assert refused(room.act, "handler", rating_id, "release").code == "forbidden"
    assert refused(room.act, "neighbour_supervisor", rating_id, "release").code == "not_found"
    room.act("supervisor", rating_id, "release")
    assert published(room)[0]["comment"] == "真他妈的好"
    assert refused(room.act, "supervisor", rating_id, "withhold", version=1).code == "stale_version"
    for nothing in (None, "", "  ", 5):
        assert faults(refused(room.act, "supervisor", rating_id, "withhold", reason=nothing)) == {"/reason": "required"}
    for _ in range(2):
        withheld = room.act("supervisor", rating_id, "withhold", version=2, reason="用语不文明")
        assert (withheld.publicity, withheld.version) == ("withheld", 3)
    assert [(one["level"], one["comment"]) for one in published(room)] == [(5, None)]
    with room.database.read() as session:
        assert history.read(session, rating_id)[-1]["reason"] == "用语不文明"


def test_several_texts_are_released_at_once_and_what_cannot_be_is_named(room: Room) -> None:
    code = room.code()
    good = [room.send(code, comment=f"很快{number}").id for number in range(3)]
    under_way = room.bad(code)
    foreign = room.send(room.code("neighbour_officer"), comment="也快").id
    for _ in range(2):
        with room.database.write() as session:
            done = release_several(session, room.people["supervisor"], [*good, under_way, foreign, uuid4()])
        assert done["released"] == [str(one) for one in good]
        assert [one["code"] for one in done["refused"]] == ["wrong_status", "not_found", "not_found"]
    assert [room.rating(one).version for one in good] == [2, 2, 2]
    assert sum(one["comment"] is not None for one in published(room)) == 3


@pytest.mark.parametrize("version", ["1", [1], True, 1.0, None, {}])
def test_a_decision_needs_a_version_that_is_a_whole_number(room: Room, version: Any) -> None:
    rating_id = room.send(room.code(), comment="很快").id
    code = "required" if version is None else "wrong_type"
    assert faults(refused(room.act, "supervisor", rating_id, "release", version=version)) == {"/version": code}
    assert room.rating(rating_id).publicity == "pending"
    assert refused(room.act, "supervisor", rating_id, "release", version=9).code == "stale_version"


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
    assert refused(lambda: published(room, region="999999")).errors[0].path == "/region"
