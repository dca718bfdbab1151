"""What raters wrote, and what was written about them, is encrypted in the database: in every table, old rows too."""

import json
import threading
from typing import Any, cast

import pytest
from sqlalchemy import Table, inspect, select, text

from core import privacy
from core.database import migrate
from core.models import HistoryEntry, HistoryPayload
from core.workflows import history
from feedback import integrity
from feedback.models import FreedNumber, Rating, RatingContact, RatingFollowUp
from feedback.ratings import freed_numbers
from feedback.ratings.public import answer
from tests.feedback.room import Room
from tests.tampering import with_all_rights

BEFORE = "0026"
"""The revision before texts were encrypted."""

SAID = {
    "comment": "窗口的李某某让我来回跑了三趟", "note": "张某某说材料早已交齐", "measures": "已约谈窗口人员李某某",
    "feedback_text": "张某某您好，反映的情况属实", "opinion": "同意对张某某的答复", "reason": "涉及张某某的隐私",
    "explanation": "张某某的材料缺一页", "appeal": "张某某从未来过本窗口",
    "freed": "号码被邻居冒用，本人来电说明",
}  # fmt: skip


def stored(room: Room) -> str:
    """All that stands in the database, as whoever copies the file reads it."""
    with room.database.read() as session:
        return "\n".join(
            json.dumps([str(value) for value in row], ensure_ascii=False)
            for table in inspect(room.database.engine).get_table_names()
            if table not in ("regions", "offices")
            for row in session.execute(text(f"SELECT * FROM {table}"))
        )


def ratings_with_every_text(room: Room) -> list[Any]:
    code = room.code()
    closed = room.lead(
        room.bad(code, comment=SAID["comment"], rater_name="张某某"), "contact", "verify", "rectify", "reply", "close",
        contact={"note": SAID["note"]}, rectify={"measures": SAID["measures"]},
        reply={"feedback_text": SAID["feedback_text"]}, close={"opinion": SAID["opinion"]},
    )  # fmt: skip
    room.act("supervisor", closed, "withhold", reason=SAID["reason"])
    explained = room.lead(
        room.bad(code, comment=SAID["comment"]), "contact", "verify", "explain",
        verify={"classification": "explain"}, explain={"explanation": SAID["explanation"]},
    )  # fmt: skip
    appealed = room.bad(code, comment=SAID["comment"])
    room.act("handler", appealed, "appeal", reason=SAID["appeal"])
    room.act("supervisor", appealed, "uphold", opinion=SAID["opinion"])
    good = room.send(code, comment="张某某办得很快").id
    with room.database.write() as session:
        freed = {"mobile": "13800000099", "reason": SAID["freed"]}
        freed_numbers.free(session, room.people["supervisor"], freed)
    return [closed, explained, appealed, good]


def words(room: Room) -> list[Any]:
    """The texts as the rooms read them: only columns that stood there already before they were encrypted."""
    follow_ups = cast(Table, RatingFollowUp.__table__)
    texts = [follow_ups.c[name] for name in ("rating_id", *privacy.encrypted_columns(follow_ups))]
    with room.database.read() as session:
        return [
            *session.query(Rating.id, Rating.comment, Rating.public_comment).order_by(Rating.id),
            *session.query(*texts).order_by(RatingFollowUp.rating_id),
            *session.query(RatingContact.id, RatingContact.note).order_by(RatingContact.id),
            *session.query(FreedNumber.id, FreedNumber.reason).order_by(FreedNumber.id),
            *session.query(HistoryEntry.subject_id, HistoryEntry.seq, HistoryPayload.payload)
            .join(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
            .order_by(HistoryEntry.subject_id, HistoryEntry.seq),
        ]


def broken(room: Room) -> list[str]:
    with room.database.read() as session:
        return [str(one) for one in (*history.verify(session), *integrity.verify(session))]


def test_no_table_holds_what_was_written_and_everybody_reads_it_as_before(room: Room) -> None:
    closed, *_ = ratings_with_every_text(room)
    found = stored(room)
    for said in (*SAID.values(), "张某某", "办得很快", "来回跑"):
        assert said not in found, said
    assert broken(room) == []
    assert room.rating(closed).comment == SAID["comment"]
    rated = room.send(room.code(), comment="窗口很耐心")
    with room.database.read() as session:
        assert answer(session, rated.query_code)["comment"] == "窗口很耐心"


def test_old_rows_are_encrypted_by_the_upgrade_and_clear_again_below_it(room: Room) -> None:
    odd = room.send(room.code(), comment="enc1:这不是密文").id
    half = ratings_with_every_text(room)[0]
    before, at_rest = words(room), stored(room)
    migrate.downgrade(room.database.engine, BEFORE)
    clear = stored(room)
    for said in (*SAID.values(), "enc1:这不是密文"):
        assert said in clear and said not in at_rest, said
    # What an upgrade that was cut off had done already.
    with room.database.write() as session:
        said = session.scalar(select(Rating.comment).where(Rating.id == half))
        session.execute(
            text("UPDATE ratings SET public_comment = public_comment, comment = :sealed WHERE id = :id"),
            {
                "sealed": privacy.seal(said or ""),
                "id": half.hex if room.database.engine.dialect.name == "sqlite" else half,
            },
        )
    migrate.upgrade(room.database.engine)
    again = stored(room)
    assert not [said for said in SAID.values() if said in again]
    assert words(room) == before and broken(room) == []
    assert room.rating(odd).comment == "enc1:这不是密文"


def test_an_upgrade_that_is_cut_off_goes_on_where_it_was(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    ratings_with_every_text(room)
    before = words(room)
    migrate.downgrade(room.database.engine, BEFORE)
    really, left = privacy.seal, [10]

    def cut_off(said: str) -> str:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return really(said)

    with monkeypatch.context() as patch:
        patch.setattr(privacy, "seal", cut_off)
        with pytest.raises(KeyboardInterrupt):
            migrate.upgrade(room.database.engine)
    assert migrate.revision_of(room.database.engine) == BEFORE
    assert SAID["comment"] not in stored(room) and SAID["measures"] in stored(room)
    assert words(room) == before  # what is half done is read as well
    migrate.upgrade(room.database.engine)
    assert words(room) == before and broken(room) == []
    assert not [said for said in SAID.values() if said in stored(room)]


def test_what_another_server_writes_during_the_upgrade_is_not_lost(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = ratings_with_every_text(room)[0]
    migrate.downgrade(room.database.engine, BEFORE)
    really, started = privacy.seal, list[threading.Thread]()

    def write() -> None:
        with room.database.write() as session:
            changed = text("UPDATE rating_follow_ups SET measures = '另一台服务器写入的措施' WHERE rating_id = :id")
            session.execute(changed, {"id": closed.hex if session.get_bind().dialect.name == "sqlite" else closed})

    def while_another_writes(said: str) -> str:
        if said == SAID["feedback_text"] and not started:
            started.append(threading.Thread(target=write))
            started[0].start()
            started[0].join(0.5)  # it is done already, unless the row is locked
        return really(said)

    with monkeypatch.context() as patch:
        patch.setattr(privacy, "seal", while_another_writes)
        migrate.upgrade(room.database.engine)
    started[0].join()
    with room.database.read() as session:
        kept = session.get_one(RatingFollowUp, closed).measures
    assert kept == "另一台服务器写入的措施"


@pytest.mark.parametrize("kept", ["enc1:AAAA", "enc1:不是", '"text"'])
def test_a_history_that_was_overwritten_is_named_and_stops_nobody(room: Room, kept: str) -> None:
    rating = room.standing(room.code(), "verified")
    with room.database.write() as session:
        with_all_rights(session)
        session.execute(
            text("UPDATE history_payloads SET payload = :kept WHERE history_id = (SELECT id FROM history WHERE"
                 " subject_type = 'rating' AND action = 'contact')"), {"kept": json.dumps(kept)},
        )  # fmt: skip
    assert any(f"rating {rating}" in one and "payload was changed" in one for one in broken(room))
