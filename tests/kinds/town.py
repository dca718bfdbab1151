"""Offices, agencies and people of the kinds that tests declare, and the kinds in the engine of an application."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apiflask import APIFlask
from sqlalchemy import select

from accounts import offices, operations
from accounts.models import OfficeKind, Region
from accounts.sign_in import passwords
from accounts.verbs import Role
from core.db import Database
from enterprise.filings.declaring.broken_kinds import refuse_unfit
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.handover import office_of
from enterprise.models import Enterprise
from miniapp_api.http.wiring import KEY
from tests import paperwork
from tests.documented import INVENTED
from tests.kinds import power_new, transport_evaluation
from tests.parties import WORKS, Parties, sign_in_enterprise, upload
from tests.people import PASSWORD, Person, new_id

JIANGSU, ZHEJIANG, AUTHORITY, AGENCY, OTHER_AGENCY = (
    "江苏能源监管办", "浙江能源监管办", "常州市交通运输局", "甲评价机构", "乙评价机构",
)  # fmt: skip
COLLEAGUE = f"{WORKS}@b"
_OFFICES = {
    JIANGSU: (OfficeKind.ENERGY_BRANCH, "320000"),
    ZHEJIANG: (OfficeKind.ENERGY_BRANCH, "330000"),
    AUTHORITY: (OfficeKind.TRANSPORT_AUTHORITY, "320400"),
    AGENCY: (OfficeKind.EVALUATION_AGENCY, "320400"),
    OTHER_AGENCY: (OfficeKind.EVALUATION_AGENCY, "320400"),
}
_PEOPLE = {
    "formal": (JIANGSU, Role.POWER_FORMAL_CHECK),
    "acceptance": (JIANGSU, Role.POWER_ACCEPTANCE),
    "examiner": (JIANGSU, Role.POWER_EXAMINER, Role.POWER_APPROVER),
    "approver": (JIANGSU, Role.POWER_APPROVER),
    "issuer": (JIANGSU, Role.POWER_CERTIFICATES),
    "far_acceptance": (ZHEJIANG, Role.POWER_ACCEPTANCE),
    "authority": (AUTHORITY, Role.TRANSPORT_AUTHORITY),
    "agency": (AGENCY, Role.TRANSPORT_AGENCY),
    "other_agency": (OTHER_AGENCY, Role.TRANSPORT_AGENCY),
    **{f"reviewer_{n}": (AGENCY, Role.TRANSPORT_REVIEWER) for n in "1234"},
    "foreign_reviewer": (OTHER_AGENCY, Role.TRANSPORT_REVIEWER),
}


@dataclass
class Town:
    """Who takes part, signed in when first asked for."""

    application: APIFlask
    parties: Parties
    sign_in: Callable[[str], Person]
    office_ids: dict[str, str]

    def __post_init__(self) -> None:
        self._signed_in: dict[str, Person] = {}
        self.forms: dict[str, dict[str, Any]] = {}

    def __getitem__(self, name: str) -> Person:
        if name not in self._signed_in:
            own = name == COLLEAGUE
            self._signed_in[name] = sign_in_enterprise(self.application, name) if own else self.sign_in(name)
        return self._signed_in[name]

    def sign_in_anew(self) -> None:
        """Everybody signs in again: sessions end while days pass."""
        self._signed_in.clear()
        self.parties.enterprise = sign_in_enterprise(self.application, WORKS)

    @property
    def database(self) -> Database:
        found: Database = self.application.extensions[KEY].database
        return found

    @property
    def engine(self) -> Filings:
        found: Filings = self.application.extensions[KEY].filings
        return found

    def publish(self, form: dict[str, Any]) -> None:
        """A further version of a form that a kind of the town answers."""
        self.engine.forms.publish(form)
        self.forms[form["code"]] = form

    def declare(self, kind: FilingKind) -> None:
        """Put a kind into the engine, as its system would."""
        forms = {form["code"]: form for form in (*power_new.FORMS, *transport_evaluation.FORMS)} | self.forms
        refuse_unfit(kind, forms)
        self.engine.kinds[kind.code] = kind
        INVENTED.update({kind.code, *kind.labels, *(step.action for step in kind.steps)})

    def open(self, kind: str, data: dict[str, Any], *documents: tuple[str, str]) -> dict[str, Any]:
        """The enterprise opens a filing."""
        body = {"kind": kind, "data": data, "documents": named(*documents)}
        answer = self.parties.enterprise.put(f"/filings/{new_id()}", body)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return dict(answer.json)

    def file(self, by: Person) -> str:
        """A paper that somebody uploads."""
        return upload(by, paperwork.pdf(new_id()), "材料.pdf", "declaration_attachment")

    def read(self, filing: dict[str, Any], by: Person | None = None) -> dict[str, Any]:
        answer = (by or self.parties.enterprise).get(f"/filings/{filing['id']}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.json)

    def act(self, by: Person, filing: dict[str, Any], action: str, expect: int = 200, **body: Any) -> Any:
        """Take a step of the filing as it now stands."""
        version = self.read(filing)["version"] if "version" not in body else body.pop("version")
        answer = by.post(f"/filings/{filing['id']}/actions/{action}", {"version": version, **body})
        assert answer.status_code == expect, (action, answer.get_data(as_text=True))
        return answer.json

    def todos(self, by: Person) -> list[str]:
        """The titles of the open to-dos of filings."""
        return [todo["title"] for todo in by.get("/todos").json["items"] if todo["kind"] == "filing"]


def named(*documents: tuple[str, str]) -> list[dict[str, str]]:
    return [{"category": category, "file_id": file_id} for category, file_id in documents]


def paths(refused: Any) -> list[str]:
    """Where the faults of a refusal stand."""
    return sorted(fault["path"] for fault in refused["errors"])


def build(application: APIFlask, parties: Parties, sign_in: Callable[[str], Person]) -> Town:
    """The offices, their people and the kinds."""
    services = application.extensions[KEY]
    for form in (*power_new.FORMS, *transport_evaluation.FORMS):
        services.forms.publish(form)
    password_hash = passwords.hash_password(PASSWORD)
    ids = {}
    with services.database.write() as session:
        for name, (kind, code) in _OFFICES.items():
            ids[name] = offices.create_office(session, name, kind.value, session.get_one(Region, code), None)
        for username, (office, *roles) in _PEOPLE.items():
            operations.create_user(
                session, ids[office], username, password_hash, list(roles), must_change_password=False
            )
        enterprise = session.scalars(select(Enterprise).where(Enterprise.uscc == WORKS)).one()
        operations.create_user(
            session, office_of(session, enterprise), COLLEAGUE, password_hash, [Role.ENTERPRISE],
            must_change_password=False,
        )  # fmt: skip
    town = Town(application, parties, sign_in, {name: str(office_id) for name, office_id in ids.items()})
    town.declare(power_new.power_new())
    town.declare(transport_evaluation.transport_evaluation())
    return town
