"""A refusal says which field is meant, what is wrong with it and what to do."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import BaseModel

import miniapp_api
from core.errors import CATALOGUE
from miniapp_api.http.bodies import AsSent, DescribedBody, Query
from miniapp_api.http.field_labels import CHOSEN, LABELS, UPLOADED
from tests.people import Person, new_id, production
from tests.problems import ONE_DATABASE, problem_of

for module in pkgutil.iter_modules(miniapp_api.__path__, "miniapp_api."):
    importlib.import_module(module.name)

ROOT = Path(__file__).parents[2]
_UNKNOWN = "提交的内容中有这里没有的项，请删除该项，或更新小程序后重试"
WHAT_TO_DO = re.compile("请|可选|可以|感谢|方可|支持")


def _below(parent: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in parent.__subclasses__():
        yield child
        yield from _below(child)


_TYPED = sorted(
    {*_below(AsSent), *_below(Query)} - set(_below(DescribedBody)), key=lambda model: (model.__module__, model.__name__)
)


@pytest.mark.parametrize("model", _TYPED, ids=lambda model: f"{model.__module__}.{model.__name__}")
def test_every_field_of_a_typed_body_or_query_has_a_chinese_name(model: type[BaseModel]) -> None:
    assert {field.alias or name for name, field in model.model_fields.items()} <= LABELS.keys()


def test_what_is_chosen_or_uploaded_is_a_field_and_only_one_of_both() -> None:
    assert LABELS.keys() >= CHOSEN | UPLOADED
    assert not CHOSEN & UPLOADED


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_problem_of_the_catalogue_says_what_to_do(code: str) -> None:
    assert WHAT_TO_DO.search(CATALOGUE[code][1])


def _sentences() -> Iterator[tuple[str, str]]:
    """Every sentence that the code gives to a fault, with its place; `{}` where something is put in."""
    for room in ("accounts", "assets", "core", "enterprise", "feedback", "inspection", "miniapp_api"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) >= 3):
                    continue
                if node.func.id in ("Fault", "invalid") and (said := _text(node.args[2])):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", said


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else _put_in(one) for one in node.values)
    return None


def _put_in(node: ast.expr) -> str:
    named = isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name) and node.value.id
    return "只有标点或符号，请用文字写明" if named == "MEANINGLESS" else "{}"


def test_every_fault_in_the_code_says_what_to_do() -> None:
    # What a declaration of a form or a kind gets wrong is read by who wrote it, at start.
    found = [(at, said) for at, said in _sentences() if not at.startswith("core/forms/definitions/")]
    assert len(found) > 80
    # A sentence that ends in another one leaves it to that one.
    assert [(at, said) for at, said in found if not WHAT_TO_DO.search(said) and not said.endswith("{}")] == []


@ONE_DATABASE
@pytest.mark.parametrize(
    ("path", "body", "fault"),
    [
        ("/account-applications", {}, ("/applicant_name", "请填写“姓名”")),
        ("/account-applications", {}, ("/region_code", "请选择“行政区划”")),
        ("/account-applications", {"mobile": "138"}, ("/mobile", "“手机号”至少需要11个字，请补充")),
        ("/account-applications", {"unit_name": "局" * 101}, ("/unit_name", "“单位名称”不能超过100个字，请缩短后重试")),
        ("/account-applications", {"region_code": "32"}, ("/region_code", "“行政区划”的格式不正确，请核对后重新选择")),
        ("/account-applications", {"nothing": 1}, ("/nothing", _UNKNOWN)),
        ("/sessions", {"username": 5}, ("/username", "“用户名”应为文字，请重新填写")),
    ],
)  # fmt: skip
def test_a_fault_of_a_typed_body_names_its_field(
    client: FlaskClient, path: str, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    problem = problem_of(Person("", client, "").post(path, body))
    assert fault in [(one["path"], one["message"]) for one in problem["errors"]]


@ONE_DATABASE
def test_an_abolished_region_names_the_one_that_took_its_place(client: FlaskClient) -> None:
    body = {
        "applicant_name": "赵某", "unit_name": "江北区市场监督管理局", "region_code": "500105", "mobile": "13800000009",
        "username": f"inspector-{new_id()[:8]}", "password": "Field-Work-26",
    }  # fmt: skip
    faults = problem_of(Person("", client, "").post("/account-applications", body))["errors"]
    assert faults == [
        {
            "path": "/region_code",
            "code": "unknown_region",
            "message": "“500105 江北区”自2025年11月6日起已改为“500157 两江新区”，请改填新代码",
        }
    ]


def test_a_code_that_the_register_lacks_is_to_be_typed_by_hand(county_inspector: Person) -> None:
    problem = problem_of(county_inspector.get("/enterprises/91320400MA1TEX0012"))
    assert (problem["code"], problem["detail"]) == (
        "not_found",
        "企业名录中没有这个统一社会信用代码，请核对；无误的请手动录入企业名称和地址",
    )


def test_a_draft_that_the_other_phone_deleted_can_be_kept_as_a_new_one(county_inspector: Person) -> None:
    where = f"/inspections/{new_id()}"
    county_inspector.put(where, production(remark="第一次"))
    assert county_inspector.delete(where).status_code == 200
    problem = problem_of(county_inspector.put(where, production(remark="另一部手机", version=1)))
    assert problem["code"] == "not_found"
    assert "另一部手机" in problem["detail"] and "请另存为新的记录" in problem["detail"]


def test_who_lost_the_first_answer_is_told_that_it_was_saved_and_not_that_another_changed_it(
    county_inspector: Person,
) -> None:
    where = f"/inspections/{new_id()}"
    county_inspector.put(where, production(remark="第一次"))
    problem = problem_of(county_inspector.put(where, production(remark="继续填")))
    assert (problem["code"], problem["current_version"]) == ("stale_version", 1)
    assert "此前已经保存成功（第1版）" in problem["detail"] and "他人" not in problem["title"] + problem["detail"]


def test_who_is_behind_is_told_that_it_may_have_been_the_own_other_phone(county_inspector: Person) -> None:
    where = f"/inspections/{new_id()}"
    county_inspector.put(where, production(remark="第一次"))
    county_inspector.put(where, production(remark="第二次", version=1))
    problem = problem_of(county_inspector.put(where, production(remark="旧手机", version=1)))
    assert (problem["code"], problem["current_version"]) == ("stale_version", 2)
    assert "另一部手机" in problem["detail"] and "请先留存" in problem["detail"]
