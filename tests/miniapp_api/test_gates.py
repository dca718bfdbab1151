"""Every route has one gate; what is not public answers nobody; every role is nobody in a foreign county."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from pydantic import SecretStr
from python_calamine import CalamineWorkbook
from sqlalchemy import insert, select

from accounts.models import AccountApplication, ResetProposal, User, UserSession
from accounts.verbs import Role, Verb
from app import create_app
from core import clock
from core.config import Settings
from core.db import Database
from enterprise.models import Enterprise
from feedback.models import Rating, RatingCode
from inspection.models import CorrectionRequest, Inspection
from miniapp_api.http.gates import gate_of
from tests.newcomers import apply, code_of, make_user
from tests.people import Person, SignIn, new_id, production, spot_check, uscc, with_problem
from tests.raters import Hall
from tests.records import save, submit
from tests.rounds import rounds

PUBLIC = {
    "GET /", "GET /app/", "GET /app/<path:name>", "GET /desk/", "GET /desk/<path:name>",
    "GET /healthz", "GET /readyz", "GET /metrics",  # the last one guards itself
    "GET /api/docs/", "GET /api/docs/<path:path>", "GET /api/v1/openapi.json",
    "POST /api/v1/sessions", "POST /api/v1/sessions/wechat", "POST /api/v1/captchas", "GET /api/v1/regions",
    "GET /api/v1/password-resets", "POST /api/v1/password-resets", "PUT /api/v1/password-resets/<string:token>",
    "POST /api/v1/sessions/query", "GET /api/v1/registrations/offers", "GET /api/v1/registrations/<string:system>",
    "POST /api/v1/registrations/<string:system>", "POST /api/v1/registrations/<string:system>/lost-codes",
    "GET /api/v1/notices", "GET /api/v1/notices/<uuid:notice_id>",
    "GET /api/v1/notices/<uuid:notice_id>/files/<uuid:file_id>",
    "POST /api/v1/account-applications", "GET /api/v1/account-applications/status/<string:query_code>",
    "GET /r/<string:token>", "POST /r/<string:token>", "GET /r/answers", "GET /r/answers/<string:query_code>",
    "GET /v/<string:code>",
    "GET /api/v1/ratings/form/<string:token>", "POST /api/v1/ratings/form/<string:token>",
    "POST /api/v1/ratings/sms-codes", "GET /api/v1/ratings/answer/<string:query_code>", "GET /api/v1/ratings/public",
}  # fmt: skip

# What belongs to the whole country or to the caller alone.
OPEN_TO_ALL = {
    "/api/v1/calendar", "/api/v1/help", "/api/v1/me", "/api/v1/me/email", "/api/v1/me/otp", "/api/v1/me/wechat",
    "/api/v1/outbox-imports/key", "/api/v1/products",
    "/api/v1/forms", "/api/v1/forms/<string:code>",
    "/api/v1/forms/<string:code>/<int:version>", "/api/v1/products/<string:code>/items",
    "/api/v1/products/<string:code>/test-items", "/api/v1/products/<string:code>/items/<uuid:item_id>",
    "/api/v1/products/<string:code>/test-items/<uuid:item_id>", "/api/v1/filing-kinds",
    "/api/v1/filing-kinds/<string:kind>", "/api/v1/suggestions/colleagues",
    "/api/v1/enforcement-paper-kinds", "/api/v1/rating-codes/offices", "/api/v1/offices",
}  # fmt: skip


def routes(application: APIFlask) -> Iterator[tuple[str, str, Any]]:
    """Method, rule and view of everything that can be called."""
    for rule in application.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, rule.rule, application.view_functions[rule.endpoint]


def filled(rule: str, **known: str) -> str:
    """The rule as an address: placeholders by name where known, else something of the right type."""
    types = {"uuid": new_id(), "int": "1", "string": "06", "path": "index.css"}
    return re.sub(r"<(\w+):(\w+)>", lambda m: known.get(m[2], types[m[1]]), rule)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_every_route_has_exactly_one_gate(application: APIFlask) -> None:
    for method, rule, view in routes(application):
        assert gate_of(view) is not None, f"{method} {rule} has no gate"
        gates, inner = 0, view
        while inner is not None:
            gates += getattr(inner, "__code__", None) is not None and inner.__code__.co_name == "gated"
            inner = getattr(inner, "__wrapped__", None)
        assert gates == 1, f"{method} {rule} has {gates} gates"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_public_routes_are_exactly_those_of_the_contract(application: APIFlask) -> None:
    assert {f"{method} {rule}" for method, rule, view in routes(application) if gate_of(view).public} == PUBLIC  # type: ignore[union-attr]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_every_other_route_answers_401_without_a_token_whatever_is_sent(
    application: APIFlask, client: FlaskClient
) -> None:
    closed = [(method, rule) for method, rule, view in routes(application) if not gate_of(view).public]  # type: ignore[union-attr]
    assert len(closed) > 40
    for method, rule in closed:
        for sent in ({}, {"json": {}}, {"data": b"{broken", "content_type": "application/json"}):
            answer = client.open(filled(rule), method=method, **sent)  # type: ignore[arg-type]
            assert code_of(answer) == (401, "unauthenticated"), f"{method} {rule}"
            assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_asking_only_for_the_head_opens_no_gate(application: APIFlask, client: FlaskClient) -> None:
    for method, rule, view in routes(application):
        if method == "GET" and not gate_of(view).public:  # type: ignore[union-attr]
            answer = client.head(filled(rule))
            assert answer.status_code == 401 and answer.data == b"", rule


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_role_without_the_verb_is_refused_before_its_body_is_validated(
    application: APIFlask, database: Database, sign_in: SignIn
) -> None:
    make_user(database, "320102", "admin_only", Role.SYS_ADMIN)
    nobody = sign_in("admin_only")
    for method, rule, view in routes(application):
        gate = gate_of(view)
        if gate is not None and gate.verbs and Verb.SYSTEM_CONFIGURE not in gate.verbs:
            answer = nobody.client.open(
                filled(rule), method=method, data=b"{broken", content_type="application/json",
                headers={"Authorization": f"Bearer {nobody.token}"},
            )  # fmt: skip
            assert code_of(answer) == (403, "forbidden"), f"{method} {rule}"


def test_figures_are_for_this_machine_or_for_whoever_has_the_token(client: FlaskClient, settings: Settings) -> None:
    assert client.get("/metrics").status_code == 200
    assert code_of(client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.7"})) == (404, "not_found")
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    guarded = create_app(settings.model_copy(update={"metrics_token": SecretStr("figures-token")})).test_client()
    assert guarded.get("/metrics").status_code == 404
    assert guarded.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    right = guarded.get(
        "/metrics", headers={"Authorization": "Bearer figures-token"}, environ_base={"REMOTE_ADDR": "203.0.113.7"}
    )
    assert right.status_code == 200 and "http_requests_total" in right.get_data(as_text=True)


SECRET_NAME = "天宁绝密电缆有限公司"
SECRET_USER = "secret_li"


def _everything_there(
    client: FlaskClient, database: Database, owner: Person, superior: Person, sign_in: SignIn
) -> dict[str, str]:
    """Records of one county of every sort; the ids by what their placeholder is called."""
    hall = Hall(client, database, sign_in)
    code = hall.code(matter_name=SECRET_NAME)
    checked = submit(owner, with_problem({"7.1": "in_progress"}, org_name=SECRET_NAME))
    corrected = {**with_problem({"7.1": "in_progress"}, org_name=SECRET_NAME, remark="更正"), "reason": "漏填"}
    answer = superior.put(f"/inspections/{checked['id']}/correction", {**corrected, "version": checked["version"]})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    draft = save(owner, production(org_name=SECRET_NAME))
    spot = submit(owner, spot_check(org_name=SECRET_NAME), noun="spot-checks")
    applied = apply(client, username=SECRET_USER, unit_name=SECRET_NAME, region_code="320402")
    item_id = new_id()
    assert (
        owner.put(f"/products/06/items/{item_id}", {"name": "某省新增电缆", "regulation_type": "other"}).status_code
        == 201
    )
    request_id, proposal_id = uuid4(), uuid4()
    with database.write() as session:
        record = session.get_one(Inspection, UUID(checked["id"]))
        said = {"form_code": record.form_code, "form_version": record.form_version, "product_code": "06"}
        mark = {"at": "2026-11-21T02:00:00Z", "by": owner.username, "office": SECRET_NAME}
        session.execute(
            insert(CorrectionRequest).values(
                id=request_id, inspection_id=record.id, status="pending", version=1, base_version=record.version,
                level=record.level, office_id=record.office_id, area1=record.area1, area2=record.area2,
                area3=record.area3, requested_by=record.created_by, requested=mark, reason=SECRET_NAME,
                before={**said, "data": record.data}, asked={**said, "data": record.data}, confirmed=[],
                created_at=clock.now(), updated_at=clock.now(),
            )
        )  # fmt: skip
        session.execute(
            insert(Enterprise).values(
                id=uuid4(), uscc=uscc(77), name=SECRET_NAME, folded_name=SECRET_NAME, region_code="320402",
                area1="320000", area2="320400", area3="320402", product_codes=["06"], source="imported",
                status="active", updated_at=clock.now(),
            )
        )  # fmt: skip
        user_id = session.scalars(select(User.id).where(User.username == owner.username)).one()
        session.execute(
            insert(ResetProposal).values(
                id=proposal_id, user_id=user_id, kind="password", reason=SECRET_NAME, proposed_by=user_id,
                proposed_as={"actor": owner.username}, at=clock.now(), until=clock.now() + timedelta(days=1),
            )
        )  # fmt: skip
        session_id = session.scalars(select(UserSession.id).where(UserSession.user_id == user_id)).one()
    return {
        "record": checked["id"], "draft": draft["id"], "spot": spot["id"], "application_id": applied["id"],
        "user_id": str(user_id), "session_id": str(session_id), "item_id": item_id, "number": "1",
        "request_id": str(request_id), "proposal_id": str(proposal_id),
        "query_code": applied["query_code"], "uscc": uscc(78), "code_id": code["id"], "token": code["token"],
        "rating_id": hall.bad(code, comment=SECRET_NAME), "action": "verify",
    }  # fmt: skip


def _body(rule: str, known: dict[str, str]) -> dict[str, Any]:
    """What would be accepted there from the right person."""
    if rule.endswith("/move"):
        return {"office_id": known["strangers_office"]}
    if rule.endswith("/hand-over"):
        return {"hand_over_to": known["stranger"]}
    if rule.endswith("/correction"):
        body = spot_check() if "spot-checks" in rule else with_problem()
        return {**body, "version": 2, "reason": "改一改"}
    if rule.endswith("/disposals"):
        return {"disposals": {"7.1": "done"}, "version": 2}
    if rule.endswith("/return"):
        return {"opinion": "请核对后更正"}
    if rule.endswith("/correction-requests"):
        body = spot_check(version=1) if "spot-checks" in rule else with_problem(version=2)
        return {**body, "reason": "改一改"}
    if rule.endswith("/void"):
        return {"reason": "重复录入", "version": 1 if "spot-checks" in rule else 2}
    if "<uuid:record_id>" in rule:
        return spot_check(version=1) if "spot-checks" in rule else production(version=1)
    if rule.endswith("/reject"):
        return {"opinion": "不同意"}
    if rule.endswith("/propose-reset"):
        return {"kind": "password", "reason": "忘记密码"}
    if rule.endswith(("/confirm-reset", "/cancel-reset")):
        return {"proposal_id": known["proposal_id"]}
    if rule.endswith("/disable"):
        return {"reason": "离职"}
    if rule.endswith("/password"):
        return {"old_password": "Wrong-2026", "new_password": "Another-One-7"}
    if "items" in rule:
        return {"name": "别的名称", **({} if "test-items" in rule else {"regulation_type": "other"})}
    return {}


@pytest.mark.rounds
@pytest.mark.parametrize("county", ["320404", "330102"])
def test_every_role_of_a_foreign_county_reaches_nothing_by_any_route(
    application: APIFlask, client: FlaskClient, database: Database, clock: Any,
    county_inspector: Person, city_reviewer: Person, sign_in: SignIn, county: str,
) -> None:  # fmt: skip
    known = _everything_there(client, database, county_inspector, city_reviewer, sign_in)
    # An added item belongs to the whole province.
    secrets = {SECRET_NAME, SECRET_USER, county_inspector.username, *known.values()} - {"1", "verify", known["item_id"]}
    before = _state(database)
    # Whoever holds all roles reaches what any of them reaches; each by itself comes in `make test-rounds`.
    alone = list(Role)[: rounds(len(Role), 0)]
    for role in alone:
        make_user(database, county, f"stranger_{role.value}", role)
    stranger_id = make_user(database, county, "stranger_of_all", *Role)
    with database.read() as session:
        office_id = session.get_one(User, stranger_id).office_id
    known |= {"stranger": str(stranger_id), "strangers_office": str(office_id)}
    for name in (*(f"stranger_{role.value}" for role in alone), "stranger_of_all"):
        stranger = sign_in(name)
        for method, rule, view in routes(application):
            gate = gate_of(view)
            if gate is None or gate.public or rule == "/api/v1/sessions/current":
                continue
            for record_id in ("record", "draft", "spot") if "record_id" in rule else ("record",):
                path = filled(rule, **{**known, "record_id": known[record_id]}).removeprefix("/api/v1")
                answer = stranger.call(
                    method, path, **({"json": _body(rule, known)} if method in ("PUT", "POST") else {})
                )
                _nothing(answer, f"{name}: {method} {path}", rule, secrets - {*path.split("/")})
    assert _state(database) == before


def _nothing(answer: Any, where: str, rule: str, secrets: set[str]) -> None:
    if answer.mimetype.endswith("spreadsheetml.sheet"):
        text = "\n".join(
            map(str, CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python())
        )
    else:
        text = answer.get_data(as_text=True)
    assert not [secret for secret in secrets if secret in text], where
    if answer.status_code == 200 and rule not in OPEN_TO_ALL:
        if rule == "/api/v1/statistics/ratings":
            assert not answer.json["total"]["ratings"] and answer.json["rows"] == [], where
        elif rule.startswith("/api/v1/statistics/") and rule.endswith((".csv", ".xlsx")):
            assert len(text.strip().splitlines()) == 2, where  # the heading and a total of nothing
        elif rule.endswith((".csv", ".xlsx")):
            assert len(text.strip().splitlines()) == 1, where
        elif rule == "/api/v1/statistics/progress":
            assert not any(answer.json["total"][k] for k in ("planned", "checked", "spot_batches", "unable")), where
        elif rule == "/api/v1/enterprises/changes":
            assert answer.json["items"] == [] and answer.json["gone"] == [], where
        elif rule in ("/api/v1/users", "/api/v1/me/sessions"):
            assert "320402" not in text, where
        else:
            assert answer.json["items"] == [] and answer.json["total"] == 0, where
    elif answer.status_code != 200:
        assert answer.status_code in (401, 403, 404, 409, 415, 422), where
        # 409 only says that an id of the dictionary is in use.
        assert answer.status_code != 409 or "items" in rule, where


def _state(database: Database) -> list[Any]:
    """What a stranger might have changed."""
    with database.read() as session:
        return [
            session.execute(select(Inspection.id, Inspection.version, Inspection.status).order_by(Inspection.id)).all(),
            session.execute(select(CorrectionRequest.status, CorrectionRequest.version)).all(),
            session.scalars(select(ResetProposal.id)).all(),
            session.execute(select(AccountApplication.status, AccountApplication.version)).all(),
            session.execute(select(Rating.status, Rating.version)).all(),
            session.execute(
                select(RatingCode.status, RatingCode.version).where(RatingCode.matter_name == SECRET_NAME)
            ).all(),
            session.execute(
                select(User.username, User.status, User.version)
                .where(User.username.not_like("stranger%"))
                .order_by(User.username)
            ).all(),
            session.scalar(select(UserSession.ended_at).join(User).where(User.username == "county_inspector")),
        ]
