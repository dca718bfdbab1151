"""Request bodies of inspectors: a production check and a sales check with the forms that come with the product."""

import copy
import itertools
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson

from bench.city import City
from bench.load import request_bytes
from core import clock

LICENCE_ITEM = "8733864b-d53c-5c6e-95ad-f8b90280418a"  # 架空绞线

PRODUCTION: dict[str, Any] = {
    "kind": "production",
    "product_code": "06",
    "form_version": 1,
    "legal_representative": "王某某",
    "contact_name": "李某某",
    "contact_tel": "13800000001",
    "org_scale": "small",
    "unable": False,
    "regulation_types": ["licence"],
    "products": [LICENCE_ITEM],
    "licence_no": "(苏)XK06-001-00001",
    "inspectors": ["甲某某", "乙某某"],
    "escort": "丙某某",
    "temporary_stop": False,
    "answers": {
        "1.1": "yes", "1.2": "no", "1.3": "no", "1.4": "no", "2.1": "yes", "2.2": "yes", "2.3": "yes",
        "3.1": "yes", "3.2": "no", "3.3": "yes", "4.1": "yes", "4.1.methods": ["self"], "4.2": "yes",
        "5.1": "yes", "5.2": "na", "6.1": "yes", "6.2": "yes", "6.3": "na",
    },
    "disposals": {},
    "photos": [],
    "signatures": [],
}  # fmt: skip

SALES: dict[str, Any] = {
    "kind": "sales",
    "product_code": "06",
    "unable": False,
    "products": [LICENCE_ITEM],
    "inspectors": ["甲某某", "乙某某"],
    "answers": {"1.1": "yes", "1.2": "yes", "1.3": "yes", "2.1": "yes", "2.2": "na", "2.3": "no",
                "3.1": "no", "3.2": "na", "3.3": "no"},
    "disposals": {},
}  # fmt: skip


def production(city: City, number: int, days_ago: int) -> dict[str, Any]:
    """A valid production check of enterprise `number`: 38 fields and answers."""
    facts = city.enterprises[number]
    return {
        **copy.deepcopy(PRODUCTION),
        "uscc": facts["uscc"],
        "org_name": facts["name"],
        "org_address": facts["address"],
        "production_address": facts["production_address"],
        "check_date": (clock.today() - timedelta(days=days_ago)).isoformat(),
    }


def sales(city: City, number: int, days_ago: int) -> dict[str, Any]:
    """A valid sales check of enterprise `number`."""
    facts = city.enterprises[number]
    return {
        **copy.deepcopy(SALES),
        "uscc": facts["uscc"],
        "org_name": facts["name"],
        "org_address": facts["address"],
        "business_address": facts["production_address"],
        "check_date": (clock.today() - timedelta(days=days_ago)).isoformat(),
    }


AMONG = 400
"""Number of enterprises that the submissions are about; each is checked repeatedly."""


def submissions(city: City) -> Iterator[bytes]:
    """Endless submissions, each with a new id, for one enterprise after the other, with an earlier date each round."""
    for count in itertools.count():
        number, days_ago = count % AMONG, count // AMONG
        seat = city.counties[number % len(city.counties)]
        yield request_bytes(
            "PUT", f"/api/v1/inspections/{uuid.uuid4()}/submission", seat.token,
            orjson.dumps(production(city, number, days_ago)),
        )  # fmt: skip


def plain(city: City) -> Iterator[bytes]:
    """The same bodies for the bare route."""
    for count in itertools.count():
        body = production(city, count % AMONG, count // AMONG)
        yield request_bytes("PUT", f"/records/{uuid.uuid4()}", city.counties[0].token, orjson.dumps(body))
