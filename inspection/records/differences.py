"""Two versions of a record compared: the places at which they differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from core.forms.library import FormLibrary
from core.forms.sealing import moved, readable
from enterprise.products import PRODUCTS

_FILES = {"photos": "照片", "signatures": "签名"}
_NAMED = {"products": "product_names"}
"""Ids that are shown by the names beside them."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a record says at one version; `data` as stored, personal data sealed for the place `where`."""

    form_code: str
    form_version: int
    product_code: str
    data: dict[str, Any]
    where: str

    @classmethod
    def of(cls, stored: Mapping[str, Any], where: str) -> Self:
        """As `stored_in` wrote it."""
        return cls(**stored, where=where)

    def stored_in(self, target: str) -> dict[str, Any]:
        """For a JSON column at another place."""
        data = moved(self.data, self.where, target)
        return {
            "form_code": self.form_code, "form_version": self.form_version, "product_code": self.product_code,
            "data": data,
        }  # fmt: skip


def differences(forms: FormLibrary, before: Content, after: Content, *, clear: bool) -> list[dict[str, Any]]:
    """Each place at which they differ: `path`, `label` as the form calls it, `before` and `after` (None: nothing).

    In the order of the form; telephone numbers are masked unless `clear`.
    """
    form = forms.get(after.form_code, after.form_version).form
    contents = (before, after)
    compared = [readable(form, content.data, content.where, clear=True) for content in contents]
    shown = compared if clear else [readable(form, content.data, content.where, clear=False) for content in contents]
    found = []
    if before.product_code != after.product_code:
        names = [PRODUCTS[code].name for code in (before.product_code, after.product_code)]
        found.append({"path": "/product_code", "label": "产品", "before": names[0], "after": names[1]})
    for path, label, name, item in _places(form.definition, before.data, after.data):
        if _value(compared[0], name, item) != _value(compared[1], name, item):
            old, new = (_value(data, name, item) for data in shown)
            found.append({"path": path, "label": label, "before": old, "after": new})
    return found


def _places(definition: Mapping[str, Any], *contents: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str | None]]:
    """Pointer, label, field and number of the item, of every place at which either may say something."""
    for item in (item for section in definition["sections"] for item in section["items"]):
        if "field" in item:
            yield f"/{item['field']}", item["text"], item["field"], None
        else:
            name = "disposals" if item["type"] == "disposal" else "answers"
            yield f"/{name}/{item['no']}", f"{item['no']} {item['text']}", name, item["no"]
    fields = {item["field"] for section in definition["sections"] for item in section["items"] if "field" in item}
    for name, label in _FILES.items():
        if name not in fields and any(name in content for content in contents):
            yield f"/{name}", label, name, None


def _value(data: Mapping[str, Any], name: str, item: str | None) -> Any:
    if item is not None:
        return (data.get(name) or {}).get(item)
    value = data.get(_NAMED.get(name, name))
    return None if value in ("", [], {}) else value
