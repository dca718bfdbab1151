"""What stands in a form before anybody typed: facts only, never findings (检查结果). The phone has the same rules."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from core.forms.definitions.carried import LAST_VISIT, is_finding
from core.forms.items.item import Item
from core.forms.validation.plan import Plan
from core.forms.validation.reading import Reading

_REGISTER = ("enterprise", "licence")


class Presets(NamedTuple):
    """`filled` are the pointers of what was filled in, in the order of the form."""

    body: dict[str, Any]
    filled: list[str]


def presets(plan: Plan, body: Mapping[str, Any], sources: Mapping[str, Any]) -> Presets:
    """Fill in the items with `default_from` that are not given yet.

    `sources` are what `default_from` names: `enterprise`, `licence`, and `last_visit`, the body of the last visit. An
    item whose source has nothing takes what the last visit answered to it. What the form would refuse is left out.
    """
    last = sources.get(LAST_VISIT)
    known: dict[str, Any] = {"answers": {}}
    carried: dict[str, Any] = {}
    for item in plan.items:
        path = item.definition.default_from
        if path is None or is_finding(item) or not (item.place == "" or _is_fact(item, path)):
            continue
        holder = body.get(item.place) if item.place else body
        given = holder.get(item.name) if isinstance(holder, Mapping) else None
        if given is not None and item.normalize(given) is not None:
            continue
        if item.place:
            known[item.place][item.name] = _at(sources, path)
        else:
            known[item.name] = _at(sources, path)
            carried[item.name] = _at(last, item.name)
    values = {**Reading(plan, carried).sound_values(), **Reading(plan, known).sound_values()}
    filled = [item for item in plan.items if item.name in values]
    own = {item.name: values[item.name] for item in filled if item.place == ""}
    answers = {item.name: values[item.name] for item in filled if item.place != ""}
    told = body.get("answers")
    beside = {"answers": {**(told if isinstance(told, Mapping) else {}), **answers}} if answers else {}
    return Presets({**body, **own, **beside}, [item.pointer for item in filled])


def _is_fact(item: Item, path: str) -> bool:
    """Words of the register that stand among the answers (营业执照号); what was found there is made anew."""
    return item.place == "answers" and item.type == "text" and path.partition(".")[0] in _REGISTER


def _at(holder: Any, path: str) -> Any:
    for key in path.split("."):
        holder = holder.get(key) if isinstance(holder, Mapping) else None
    return holder
