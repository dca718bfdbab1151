"""A system that takes registrations, which exists only here: whoever registers opens one filing of an invented kind."""

from typing import Any, cast

from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from enterprise.registrations.declarations import Registration, Registrations
from miniapp_api.http.wiring import KEY
from tests.documented import INVENTED
from tests.enterprise.filings.invented import FORM, invented
from tests.people import Person, new_id, uscc

ORGANISATION, PERSON = "test_agencies", "test_reviewers"
DECLARED = (
    Registration(ORGANISATION, "invented", "评价机构报名", "organisation", "请准备单位基本情况材料"),
    Registration(PERSON, "invented", "评审员报名", "person"),
)
ID_NUMBER = "110101199003070011"
UNKNOWN = uscc(950)
FORM_OF_AGENCY: dict[str, Any] = {
    "name": "常州某评价有限公司", "code": UNKNOWN, "mobile": "13800000021", "email": "agency@example.cn",
    "region_code": "320402",
}  # fmt: skip


def declare(application: APIFlask) -> None:
    """Give the running application the two systems."""
    services = application.extensions[KEY]
    kind = invented()
    services.filings.kinds[kind.code] = kind
    services.forms.publish(FORM)
    INVENTED.update({kind.code, *kind.labels, *(step.action for step in kind.steps)})
    object.__setattr__(services, "registrations", Registrations(DECLARED, services.filings.kinds))


def register(
    client: FlaskClient, system: str = ORGANISATION, address: str = "127.0.0.1", **changes: Any
) -> TestResponse:
    """Register an agency, or with other answers."""
    body = {**FORM_OF_AGENCY, **changes}
    return client.post(f"/api/v1/registrations/{system}", json=body, environ_base={"REMOTE_ADDR": address})


def query(client: FlaskClient, query_code: str, address: str = "127.0.0.1", **changes: Any) -> TestResponse:
    """Ask for a token by the query code."""
    typed = {"name": FORM_OF_AGENCY["name"], "code": FORM_OF_AGENCY["code"], "query_code": query_code, **changes}
    return client.post("/api/v1/sessions/query", json=typed, environ_base={"REMOTE_ADDR": address})


def made(client: FlaskClient, **changes: Any) -> dict[str, Any]:
    """A registration that was taken."""
    answer = register(client, id=new_id(), **changes)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return cast(dict[str, Any], answer.json)


def guest(client: FlaskClient, registration: dict[str, Any]) -> Person:
    """Whoever has the token of a registration."""
    return Person("guest", client, registration["token"])
