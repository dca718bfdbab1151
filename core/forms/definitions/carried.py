"""What an item may take from the last visit (沿用上次): `default_from: "last_visit.contact_name"`.

The last visit is the last record of the same kind and product about the enterprise that the inspector may read. Facts
stay true from visit to visit; findings (检查结果) are made anew at every visit, so no form may carry them over.
"""

from core.errors import Fault
from core.forms.definitions.outline import Outline
from core.forms.items.item import Item

LAST_VISIT = "last_visit"

_MADE_ANEW = {"disposal", "group"}


def is_finding(item: Item) -> bool:
    """Whether it says what this visit found, decided, photographed or signed."""
    return item.detects or item.is_upload or item.type in _MADE_ANEW


def check_carried(outline: Outline) -> None:
    """Add a fault for each `last_visit.…` that no item can take or that names nothing to take."""
    fields = {item.name: item for item in outline.items if item.place == ""}
    for item in (one for outer in outline.items for one in outer.with_rows()):
        root, _, named = (item.definition.default_from or "").partition(".")
        if root != LAST_VISIT:
            continue
        at = f"{item.source}/default_from"
        source = fields.get(named)
        if item.place != "" or is_finding(item):
            message = "检查结果、处置、照片、签名和组内的项每次须重新填写，不能沿用上次（last_visit）"
            outline.faults.append(Fault(at, "not_carried", message))
        elif source is None:
            outline.faults.append(Fault(at, "unknown_item", f"本表没有字段“{named}”，不能沿用它上次的内容"))
        elif is_finding(source):
            message = f"“{named}”是检查结果、照片或签名，每次须重新填写，不能沿用上次"
            outline.faults.append(Fault(at, "not_carried", message))
