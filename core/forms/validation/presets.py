"""What stands in a form before anybody typed: facts only, never findings (检查结果). The phone has the same rules."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from core.forms.definitions.carried import LAST_VISIT, is_finding
from core.forms.validation.plan import Plan
from core.forms.validation.reading import Reading


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
    known: dict[str, Any] = {}
    carried: dict[str, Any] = {}
    for item in plan.items:
        path = item.definition.default_from
        if path is None or item.place != "" or is_finding(item):
            continue
        given = body.get(item.name)
        if given is not None and item.normalize(given) is not None:
            continue
        known[item.name] = _at(sources, path)
        carried[item.name] = _at(last, item.name)
    values = {**Reading(plan, carried).sound_values(), **Reading(plan, known).sound_values()}
    filled = [item for item in plan.items if item.name in values]
    return Presets({**body, **{item.name: values[item.name] for item in filled}}, [item.pointer for item in filled])


def _at(holder: Any, path: str) -> Any:
    for key in path.split("."):
        holder = holder.get(key) if isinstance(holder, Mapping) else None
    return holder
