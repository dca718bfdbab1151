"""A town in which one person left traces in every room, and another person the like."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import time_machine
from apiflask import APIFlask
from sqlalchemy import insert, select, text, update

from accounts.models import User, UserSession, WeChatBinding
from accounts.sign_in import binding_witness
from assets.files.models import File
from core import clock, privacy
from core.config import Settings
from core.db import Base, Database
from core.keys import resealing
from core.models import Todo
from core.privacy import in_row
from feedback.models import Rating, SmsCode
from feedback.ratings import freed_numbers, phone_proof
from inspection.models import Inspection
from miniapp_api.http.wiring import KEY
from tests import paperwork
from tests import parties as both
from tests.command_line import Run
from tests.feedback.room import Room
from tests.newcomers import application_body
from tests.people import SignIn, new_id, production, with_problem
from tests.records import Json, save, submit

DAY = timedelta(hours=24, seconds=1)


@dataclass(frozen=True)
class Traces:
    """A person, and all words that say something of the person, by where they were left."""

    mobile: str
    name: str
    comment: str
    spaced: str = ""
    words: tuple[str, ...] = ()

    @property
    def masked(self) -> str:
        return f"{self.mobile[:3]}****{self.mobile[-4:]}"

    @property
    def told(self) -> tuple[str, ...]:
        """What must not be found any more."""
        return (self.mobile, self.name, self.comment, self.masked, *self.words)


ZHANG = Traces(
    "13912345678", "欧阳建国", "窗口让我跑了三趟", "139 1234 5678",
    ("openid-of-zhang", "zhangs telephone", "zhangs browser", "因本人出差", "139 1234 5678"),
)  # fmt: skip
LI = Traces(
    "13787654321", "慕容小红", "材料一次就收下了", "137 8765 4321",
    ("openid-of-li", "lis telephone", "lis browser", "因本人调动", "137 8765 4321"),
)  # fmt: skip


@dataclass
class Town:
    """The installation, its people, and the ids of what was left."""

    settings: Settings
    application: APIFlask
    database: Database
    room: Room
    parties: both.Parties
    run: Run
    sign_in: SignIn
    ids: dict[tuple[str, str], Any] = field(default_factory=dict)

    def leave_traces(self, who: Traces, traveller: time_machine.Traveller) -> None:
        """Let a person leave traces in every room."""
        self._rate(who)
        self._apply(who)
        self._be_met(who, traveller)
        self._be_named_in_filings(who)
        self._be_in_files(who)

    def _rate(self, who: Traces) -> None:
        code = self.room.code()
        sent = self.room.send(
            code, rater_name=who.name, mobile=who.mobile, level=1, tags=[109], comment=who.comment,
            submission_id=new_id(),
        )  # fmt: skip
        note = {"note": f"已致电{who.name}，号码{who.spaced}，表示理解"}
        self.room.lead(
            sent.id, "contact", "verify", "rectify", "reply", "close", contact=note,
            rectify={"measures": f"向{who.name}当面道歉"},
        )  # fmt: skip
        self.ids[who.name, "rating"] = sent.id
        with self.database.write() as session:
            freed, _ = freed_numbers.free(
                session, self.room.people["supervisor"], {"mobile": who.mobile, "reason": f"{who.name}称被他人冒用"}
            )
            session.execute(update(Rating).where(Rating.id == sent.id).values(user_agent=who.words[2]))
            now = clock.now()
            session.execute(insert(SmsCode).values(
                mobile_key=privacy.keyed_hash(phone_proof.USE, who.mobile), address_key="a", code_hash="c",
                until=now, created_at=now,
            ))  # fmt: skip
        self.ids[who.name, "freed"] = freed.FreedNumber.id

    def _apply(self, who: Traces) -> None:
        reviewer = self.sign_in("city_reviewer")
        client = self.application.test_client()
        for username, decision in ((f"officer_{who.mobile[3:6]}", "approve"), (f"other_{who.mobile[3:6]}", "reject")):
            body = application_body(
                applicant_name=who.name, mobile=who.mobile, username=username, region_code="320404", reason=who.words[3]
            )
            made = client.post("/api/v1/account-applications", json=body).json
            said = {"opinion": f"{who.name}本人来电{who.mobile}核实"}
            answer = reviewer.post(f"/account-applications/{made['id']}/{decision}", said)
            assert answer.status_code == 200, answer.get_data(as_text=True)
            self.ids[who.name, decision] = UUID(made["id"])
            if decision == "approve":
                self.sign_in(username, "Xin-Min-2026")
        username = f"officer_{who.mobile[3:6]}"
        self.run("users", "disable", username, "--reason", f"{who.name}已调离")
        with self.database.write() as session:
            user_id = session.scalars(select(User.id).where(User.username == username)).one()
            now = clock.now()
            bound = {
                "id": uuid4(), "openid_hash": privacy.keyed_hash("wechat-openid", who.words[0]), "openid": who.words[0],
                "user_id": user_id, "operator_name": who.name, "bound_at": now, "last_used_at": now,
            }  # fmt: skip
            with binding_witness.changing(session, user_id, binding_witness.BIND):
                session.execute(insert(WeChatBinding).values(**in_row(WeChatBinding, bound)))
            session.execute(
                update(UserSession).where(UserSession.user_id == user_id).values(
                    operator_name=who.name, user_agent=who.words[1]
                )
            )  # fmt: skip
        self.ids[who.name, "user"] = user_id

    def _be_met(self, who: Traces, traveller: time_machine.Traveller) -> None:
        inspector = self.sign_in("county_inspector")
        words: Json = {
            "contact_name": who.name, "contact_tel": who.mobile, "escort": who.name,
            "remark": f"现场由{who.name}（{who.spaced}）陪同", "org_name": f"常州{who.mobile[4:7]}电缆有限公司",
        }  # fmt: skip
        body = with_problem({"7.1": "in_progress"}, **words)
        body |= {"confirm_name": True, "confirm_duplicate": True}
        record = submit(inspector, body)
        self.ids[who.name, "inspection"] = UUID(record["id"])
        sent = {
            **body,
            "version": record["version"],
            "reason": f"{who.name}来电更正",
            "licence_no": "(苏)XK06-001-00009",
        }
        corrected = inspector.put(f"/inspections/{record['id']}/correction", sent)
        assert corrected.status_code == 200, corrected.get_data(as_text=True)
        draft = production(**words, confirm_name=True, confirm_duplicate=True)
        self.ids[who.name, "draft"] = UUID(save(inspector, draft)["id"])
        traveller.shift(DAY)
        asked = self.sign_in("county_inspector").post(
            f"/inspections/{record['id']}/correction-requests",
            {
                **body,
                "version": corrected.json["version"],
                "reason": f"{who.name}来电",
                "licence_no": "(苏)XK06-001-00010",
            },
        )
        assert asked.status_code == 201, asked.get_data(as_text=True)
        self.ids[who.name, "request"] = UUID(asked.json["id"])

    def _be_named_in_filings(self, who: Traces) -> None:
        person = both.sign_in_enterprise(self.application, both.WORKS)
        body = {
            "kind": "data_declaration", "subject": {"type": "licence", "id": self.parties.licence_id},
            "data": {**both.DECLARATION, "contact_name": who.name, "contact_mobile": who.mobile,
                     "quality_manager": who.name},
        }  # fmt: skip
        open_one = [row for row in person.get("/filings?kind=data_declaration").json["items"]
                    if row["status"] == "update"]  # fmt: skip
        if not open_one:
            return
        row = person.get(f"/filings/{open_one[0]['id']}").json
        saved = person.put(f"/filings/{row['id']}", {**body, "version": row["version"]})
        assert saved.status_code == 200, saved.get_data(as_text=True)
        sent = both.act(person, saved.json, "submit")
        assert sent.status_code == 200, sent.get_data(as_text=True)
        self.ids[who.name, "filing"] = UUID(row["id"])

    def _be_in_files(self, who: Traces) -> None:
        inspector = self.sign_in("county_inspector")
        answer = inspector.call(
            "POST", "/files", content_type="multipart/form-data",
            data={"file": (BytesIO(paperwork.jpeg()), f"{who.name}的照片{who.mobile}.jpg"), "purpose": "photo"},
        )  # fmt: skip
        assert answer.status_code in (200, 201), answer.get_data(as_text=True)
        file_id = UUID(answer.json["id"])
        with self.database.write() as session:
            session.execute(
                update(File).where(File.id == file_id).values(
                    claimed_type="inspection", claimed_id=self.ids[who.name, "inspection"], unclaimed_since=None
                )
            )  # fmt: skip
            session.execute(insert(Todo).values(
                kind="planted", title=f"请联系{who.name}", subject_type="inspection",
                subject_id=self.ids[who.name, "inspection"], urgent=False, opened_at=clock.now(),
            ))  # fmt: skip
        self.ids[who.name, "file"] = file_id

    def everything(self) -> dict[str, list[str]]:
        """All that stands in the database, by table, a text a row; what is sealed is opened."""
        rows: dict[str, list[str]] = {}
        with self.database.read() as session:
            for table in Base.metadata.sorted_tables:
                found = session.execute(text(f"SELECT * FROM {table.name}"))
                rows[table.name] = [repr(tuple(row)) for row in found]
        for where, words in self.opened().items():
            rows[where.partition(".")[0]].append(words)
        return rows

    def opened(self) -> dict[str, str]:
        """What is sealed, in clear, by place."""
        opened: dict[str, str] = {}

        def change(sealed: str, where: str) -> str:
            opened[where] = privacy.unseal_for(sealed, where)
            return sealed

        def needs(_sealed: str) -> bool:
            return True

        for _ in resealing.walk(self.database.engine, needs, change):
            pass
        return opened

    def where_found(self, words: Iterable[str]) -> dict[str, set[str]]:
        """By word the tables in which it stands, also as JSON writes it."""
        everything = {name: "\n".join(rows) for name, rows in self.everything().items()}
        return {
            word: {name for name, rows in everything.items() if word in rows or json.dumps(word)[1:-1] in rows}
            for word in words
        }

    def in_files(self, word: str) -> list[str]:
        """The files below the data folder, but the database itself, in which a word stands."""
        wanted = word.encode()
        database = self.settings.data_dir / "test.sqlite3"
        return [
            str(path) for path in self.settings.data_dir.rglob("*")
            if path.is_file() and not path.name.startswith(database.name) and wanted in path.read_bytes()
        ]  # fmt: skip

    def standing(self, who: Traces) -> dict[str, Any]:
        """What stands of a person in the main tables, as the program reads it."""
        with self.database.read() as session:
            rating = session.get_one(Rating, self.ids[who.name, "rating"])
            record = session.get_one(Inspection, self.ids[who.name, "inspection"])
            user = session.get_one(User, self.ids[who.name, "user"])
            return {
                one.__tablename__: {column.name: getattr(one, column.name) for column in one.__table__.columns}
                for one in (rating, record, user)
            }


def make(
    settings: Settings, application: APIFlask, sign_in: SignIn, room: Room, run: Run, traveller: time_machine.Traveller
) -> Town:
    """A town in which two persons left traces."""
    database = application.extensions[KEY].database
    town = Town(settings, application, database, room, both.prepare(application, sign_in), run, sign_in)
    for who in (ZHANG, LI):
        town.leave_traces(who, traveller)
    return town
