"""Short forms for kinds of filings that tests declare."""

from typing import Any


def form(code: str, title: str, *items: dict[str, Any]) -> dict[str, Any]:
    """A form of one section."""
    sections = [{"code": "body", "title": "内容", "items": list(items)}]
    return {"code": code, "version": 1, "title": title, "kind": "filing", "sections": sections}


def item(field: str, text: str, kind: str, **more: Any) -> dict[str, Any]:
    """An item of a form."""
    return {"field": field, "text": text, "type": kind, **more}


def options(**labels: str) -> list[dict[str, str]]:
    """Options by value."""
    return [{"value": value, "label": label} for value, label in labels.items()]
