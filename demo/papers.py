"""A law enforcement paper (执法文书) of the demo that waits for its approval, and two officers with their 执法证号."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.actor import Actor
from core.db import Database
from core.forms.library import FormLibrary
from enterprise.operations import EnterpriseFacts
from inspection.enforcement import officers, operations, queries

_ID = UUID("5b0f7c0e-3a44-4c0e-9a55-6f2d1f0b7a10")
_OFFICERS = (("检查员甲", "320402001"), ("检查员乙", "320402002"))


def load(database: Database, forms: FormLibrary, inspector: Actor, works: EnterpriseFacts) -> None:
    """Make what is missing."""
    data: dict[str, Any] = {
        "uscc": works["uscc"], "org_name": works["name"], "org_address": works["address"], "source": "special",
        "basis": "《中华人民共和国产品质量法》第十八条", "content": "生产许可、出厂检验、关键原材料",
        "method": "onsite", "check_date": (clock.today() + timedelta(days=5)).isoformat(), "urgent": False,
        "frequency": "本年度第1次",
        "inspectors": [{"name": name, "certificate_no": number} for name, number in _OFFICERS],
    }  # fmt: skip
    with database.write() as session:
        if queries.find(session, _ID) is not None:
            return
        for name, number in _OFFICERS:
            officers.keep(session, inspector, name, number)
        body = {"kind": "inspection_approval", "data": data}
        paper, _ = operations.save(session, forms, inspector, _ID, body)
        operations.act(session, forms, inspector, _ID, "submit", {"version": paper.version})
