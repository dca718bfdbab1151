"""People with names, and the bodies they fill in."""

import copy
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core.identifiers import make_uscc

PASSWORD = "Qing-Cheng-Lu-58"

# name: region; the level follows from it
PEOPLE = {
    "province_user": "320000",
    "city_reviewer": "320400",
    "county_inspector": "320402",
    "county_colleague": "320402",
    "neighbour_inspector": "320404",
    "other_city_user": "320100",
    "other_city_inspector": "320102",
    "other_province_user": "330000",
}


@dataclass
class Person:
    """Someone signed in; `get`, `put`, `post`, `delete` call the API in their name."""

    username: str
    client: FlaskClient
    token: str
    seen: list[TestResponse] = field(default_factory=list)

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **kwargs.pop("headers", {})}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("GET", path, **kwargs)

    def put(self, path: str, body: Any) -> TestResponse:
        return self.call("PUT", path, json=body)

    def post(self, path: str, body: Any) -> TestResponse:
        return self.call("POST", path, json=body)

    def delete(self, path: str) -> TestResponse:
        return self.call("DELETE", path)


SignIn = Callable[[str], Person]


def new_id() -> str:
    return str(uuid.uuid4())


def uscc(number: int) -> str:
    """A valid synthetic unified social credit code."""
    return make_uscc(f"91320400MA{number:07d}"[:17])


LICENCE_ITEM = "8733864b-d53c-5c6e-95ad-f8b90280418a"  # 架空绞线

PRODUCTION: dict[str, Any] = {
    "kind": "production",
    "product_code": "06",
    "form_version": 1,
    "uscc": "91320400MA1TEX0012",
    "org_name": "常州某某电缆有限公司",
    "org_address": "常州市天宁区某路1号",
    "production_address": "常州市天宁区某路1号",
    "unable": False,
    "regulation_types": ["licence"],
    "products": [LICENCE_ITEM],
    "licence_no": "(苏)XK06-001-00001",
    "check_date": "2026-11-20",
    "inspectors": ["甲", "乙"],
    "escort": "丙",
    "temporary_stop": False,
    "answers": {
        "1.1": "yes", "1.2": "no", "1.3": "no", "1.4": "no", "2.1": "yes", "2.2": "yes", "2.3": "yes",
        "3.1": "yes", "3.2": "no", "3.3": "yes", "4.1": "yes", "4.1.methods": ["self"], "4.2": "yes",
        "5.1": "yes", "5.2": "na", "6.1": "yes", "6.2": "yes", "6.3": "na",
    },
    "disposals": {},
    "remark": "",
    "photos": [],
    "signatures": [],
}  # fmt: skip

SALES: dict[str, Any] = {
    "kind": "sales",
    "product_code": "06",
    "org_name": "天宁区某某五金店",
    "org_address": "常州市天宁区某街2号",
    "business_address": "常州市天宁区某街2号",
    "unable": False,
    "products": [LICENCE_ITEM],
    "check_date": "2026-11-20",
    "inspectors": ["甲", "乙"],
    "answers": {"1.1": "yes", "1.2": "yes", "1.3": "yes", "2.1": "yes", "2.2": "na", "2.3": "no",
                "3.1": "no", "3.2": "na", "3.3": "no"},
    "disposals": {},
}  # fmt: skip

CONDUCTOR_RESISTANCE = "1f7741fc-a417-59c5-b1c5-69687a6dbbfb"  # 导体电阻
INSULATION_THICKNESS = "37bfeb6a-d1b5-5c42-a781-82271ec853c8"  # 绝缘厚度

SPOT_CHECK: dict[str, Any] = {
    "product_code": "06",
    "field_kind": "production",
    "uscc": "91320400MA1TEX0012",
    "org_name": "常州某某电缆有限公司",
    "org_address": "常州市天宁区某路1号",
    "sheet_no": "CQ-0001",
    "sample_name": "聚氯乙烯绝缘电缆",
    "spec_model": "BV 2.5",
    "batch_no": "20261101",
    "sampling_base": "1000",
    "sampling_base_unit": "米",
    "sample_qty": "30",
    "sample_qty_unit": "米",
    "sampling_place": "warehouse",
    "sampled_on": "2026-11-10",
    "samplers": ["甲", "乙"],
    "items": [
        {"item_id": CONDUCTOR_RESISTANCE, "requirement": "≤7.41", "measured": "7.30", "verdict": "pass"},
        {"item_id": INSULATION_THICKNESS, "verdict": "pass"},
    ],
}

ALL_NA = {f"7.{number}": "na" for number in range(1, 7)}


def production(**changes: Any) -> dict[str, Any]:
    """A faultless production check, changed; `answers` and `disposals` are merged."""
    return _changed(PRODUCTION, changes)


def with_problem(disposals: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """A production check that found 无证生产; disposals are all 不适用 unless told."""
    body = production(**changes)
    body["answers"]["1.2"] = "yes"
    body["disposals"] = {**ALL_NA, **(disposals or {})}
    return body


def sales(**changes: Any) -> dict[str, Any]:
    """A faultless sales check, changed."""
    return _changed(SALES, changes)


def spot_check(**changes: Any) -> dict[str, Any]:
    """A faultless spot check, changed."""
    return _changed(SPOT_CHECK, changes)


def _changed(original: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    body = copy.deepcopy(original)
    for name, value in changes.items():
        if name in ("answers", "disposals") and isinstance(value, dict):
            body[name] = {**body.get(name, {}), **value}
        else:
            body[name] = value
    return body


def faults(response: TestResponse) -> dict[str, str]:
    """path → code of a 422."""
    assert response.status_code == 422, response.get_data(as_text=True)
    assert response.json is not None
    return {fault["path"]: fault["code"] for fault in response.json["errors"]}
