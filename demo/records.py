"""Bodies of demo checks and spot checks, as a phone sends them; the same every time except for dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid5

from core.forms.form import Form
from inspection.kinds import CHECK, SPOT_CHECK

_IDS = UUID("6f1f0f6e-1f5b-4a53-9b0d-1f2f3a4b5c6d")
_MARKETS = ("某某建材市场", "某某五金机电城", "某某家居广场")
_SHOPS = ("五金机电商行", "电料经营部", "电动车专卖店", "灯具电器店", "建材经营部")
_NOTE = "现场未能提供相关材料，企业表示十日内补齐"
_UNABLE = ("not_found", "long_stop", "moved", "cancelled", "refused", "converted")


@dataclass(frozen=True, slots=True)
class DictionaryItem:
    """A product item or test item that can be chosen."""

    id: str
    regulation_type: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A record to make: its user and region, its kind, and its outcome."""

    id: UUID
    record_type: str
    kind: str
    username: str
    region_code: str
    outcome: str
    seed: int


def plans(posts: Sequence[tuple[str, str, int, int]]) -> list[Plan]:
    """Records for each (user name, region, checks, spot checks)."""
    outcomes = ("fine", "fine", "problem_in_progress", "fine", "sales", "fine", "problem_done", "fine", "sales_problem",
                "fine", "unable", "problem_partly", "fine", "sales", "problem_na")  # fmt: skip
    spots = ("pass", "fail", "pass", "pass", "circulation", "no_sample", "pass")
    made: list[Plan] = []
    for username, region, checks, spot_checks in posts:
        for outcome in (outcomes[(len(made) + i) % len(outcomes)] for i in range(checks)):
            kind = "sales" if outcome.startswith("sales") else "production"
            made.append(_plan(CHECK, kind, username, region, outcome, len(made)))
        for outcome in (spots[(len(made) + i) % len(spots)] for i in range(spot_checks)):
            made.append(_plan(SPOT_CHECK, "spot_check", username, region, outcome, len(made)))
    return made


def _plan(record_type: str, kind: str, username: str, region: str, outcome: str, seed: int) -> Plan:
    return Plan(uuid5(_IDS, f"{record_type}/{username}/{seed}"), record_type, kind, username, region, outcome, seed)


def check_body(
    plan: Plan,
    form: Form,
    enterprise: Mapping[str, Any],
    product_code: str,
    items: Sequence[DictionaryItem],
    today: date,
) -> dict[str, Any]:
    """The body of a check; `enterprise` has the columns of the register."""
    random = Random(plan.seed)  # noqa: S311 - the same data every time, no secret
    unable = plan.outcome == "unable"
    chosen = random.sample(list(items), k=min(len(items), random.choice((1, 1, 2))))
    types = sorted({item.regulation_type for item in chosen if item.regulation_type})
    body: dict[str, Any] = {
        "kind": plan.kind,
        "product_code": product_code,
        "form_version": form.version,
        **_organisation(plan, enterprise, random),
        "check_date": (today - timedelta(days=random.randint(0, 45))).isoformat(),
        "inspectors": ["检查员甲", "检查员乙"],
        "unable": unable,
        "remark": "",
    }
    if unable:
        return body | {"unable_reason": _UNABLE[plan.seed % len(_UNABLE)]}
    problem = "problem" in plan.outcome
    answers, disposals = _answers(form, random, problem)
    body |= {
        "regulation_types": types,
        "products": [item.id for item in chosen],
        "escort": "陪同人员某某",
        "temporary_stop": random.random() < 0.05,
        "answers": answers,
        "disposals": _disposed(plan.outcome, disposals) if problem else {},
    }
    if "licence" in types and plan.kind == "production":
        body["licence_no"] = f"(苏)XK{product_code}-001-{10000 + plan.seed}"
    if body["temporary_stop"]:
        body["remark"] = "设备检修，临时停产一周"
    return body


def _organisation(plan: Plan, enterprise: Mapping[str, Any], random: Random) -> dict[str, Any]:
    if plan.kind != "sales":
        return {
            "uscc": enterprise["uscc"],
            "org_name": enterprise["name"],
            "org_address": enterprise["address"],
            "production_address": enterprise["production_address"],
            "legal_representative": enterprise["legal_representative"],
            "org_scale": enterprise["scale"],
        }
    # A shop without a business licence of its own has no USCC and is identified by name and address.
    place = str(enterprise["address"]).removeprefix("江苏省").split("某某路")[0]
    address = f"{place}某某街{random.randint(1, 200)}号"
    shop = {
        "org_name": f"{place}某{random.choice('甲乙丙丁')}{random.choice(_SHOPS)}",
        "org_address": address,
        "business_address": address,
        "market_name": random.choice(_MARKETS),
        "org_scale": "micro",
    }
    return shop if random.random() < 0.6 else shop | {"uscc": enterprise["uscc"], "org_name": enterprise["name"]}


def _answers(form: Form, random: Random, problem: bool) -> tuple[dict[str, Any], list[str]]:
    """Answers to every numbered item, with one or two problems if `problem`; and the numbers of the disposals."""
    answers: dict[str, Any] = {}
    disposals: list[str] = []
    wrong: list[tuple[str, str]] = []
    numbers = _numbers(form)
    for item in (item for section in form.definition["sections"] for item in section["items"] if "no" in item):
        number, problems = item["no"], item.get("problem_when", [])
        if item["type"] == "disposal":
            disposals.append(number)
        elif item["type"] == "multi":
            answers[number] = [random.choice(item["options"])["value"]]
        elif item["type"] == "choice":
            right = [option["value"] for option in item["options"] if option["value"] not in problems]
            answers[number] = right[0] if random.random() < 0.8 else right[-1]
            # An item with dependent items is never a problem: the answer would hide the dependent items.
            dependent = [other for other in numbers if other.startswith(f"{number}.")]
            if problems and dependent in ([], [f"{number}.problem"]):
                wrong.append((number, problems[0]))
    if problem:
        found = random.sample(wrong, k=min(len(wrong), random.choice((1, 1, 2))))
        answers |= dict(found)
        # Only the first problem has a note, because inspectors often write none.
        answers |= {f"{number}.problem": _NOTE for number, _ in found[:1] if f"{number}.problem" in numbers}
    return answers, disposals


def _numbers(form: Form) -> list[str]:
    return [item["no"] for section in form.definition["sections"] for item in section["items"] if "no" in item]


def _disposed(outcome: str, disposals: Sequence[str]) -> dict[str, str]:
    first, second = disposals[0], disposals[1]
    everything_na = dict.fromkeys(disposals, "na")
    return everything_na | {
        "problem_in_progress": {first: "in_progress", second: "in_progress"},
        "problem_done": {first: "done"},
        "problem_partly": {first: "done", second: "in_progress"},
        "sales_problem": {first: "in_progress"},
    }.get(outcome, {})


def spot_check_body(
    plan: Plan, form: Form, enterprise: Mapping[str, Any], items: Sequence[DictionaryItem], today: date
) -> dict[str, Any]:
    """The body of a spot check of 电线电缆."""
    random = Random(plan.seed)  # noqa: S311 - made to be the same every time
    sampled = today - timedelta(days=random.randint(10, 45))
    body: dict[str, Any] = {
        "product_code": "06",
        "form_version": form.version,
        "plan_name": f"{today.year}年电线电缆产品质量监督抽查（演示）",
        "field_kind": "production",
        "uscc": enterprise["uscc"],
        "org_name": enterprise["name"],
        "org_address": enterprise["address"],
        "sampled_on": sampled.isoformat(),
        "samplers": ["抽样员甲", "抽样员乙"],
    }
    if plan.outcome == "circulation":
        body |= {"field_kind": "circulation", "nominal_producer": "某省某某线缆有限公司"}
    if plan.outcome == "no_sample":
        return body | {"no_sample_reason": "no_stock"}
    chosen = random.sample(list(items), k=min(len(items), random.randint(4, 8)))
    failed = random.randrange(len(chosen)) if plan.outcome == "fail" else -1
    return body | {
        "sheet_no": f"DEMO-{plan.seed:04d}",
        "sample_name": "聚氯乙烯绝缘电缆",
        "spec_model": random.choice(("BV 2.5", "BV 4", "RVV 3×1.5", "YJV 3×2.5")),
        "batch_no": f"{sampled:%Y%m}{plan.seed:02d}",
        "sampling_base": str(random.randint(5, 60) * 100),
        "sampling_base_unit": "米",
        "sample_qty": "30",
        "sample_qty_unit": "米",
        "reserve_qty": "30",
        "reserve_qty_unit": "米",
        "sampling_place": "shelf" if plan.outcome == "circulation" else "warehouse",
        "inspection_org": "某某产品质量检验中心",
        "report_no": f"DEMO-BG-{plan.seed:04d}",
        "report_date": (sampled + timedelta(days=random.randint(3, 9))).isoformat(),
        "items": [
            {"item_id": item.id, "verdict": "fail" if number == failed else "pass"}
            for number, item in enumerate(chosen)
        ],
    }
