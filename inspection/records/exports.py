"""Field records as tables: the rows of .xlsx and .csv files, with columns of their own for each type of record."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from core.forms.form import Form
from core.forms.library import FormLibrary
from core.masking import mask_numbers
from enterprise.products import PRODUCTS
from inspection.kinds import KINDS, SPOT_CHECK
from inspection.models import Inspection
from inspection.records.findings import findings

_DISPOSAL = {"none": "无", "in_progress": "办理中", "done": "已完成", "na": "不适用"}
_VERDICT = {"pass": "合格", "fail": "不合格", "not_judged": "不判定"}

_SUBMISSION = ("填报单位", "用户名", "操作人", "提交时间", "更正次数", "最近更正时间", "更正人", "作废时间", "作废原因")
_CHECK_COLUMNS = (
    "记录编号", "类型", "产品", "统一社会信用代码", "企业名称", "名称与名录不符", "企业地址", "生产或经营地址",
    "检查日期", "检查人员", "无法检查", "无法检查原因", "发现问题", "存在问题", "处置状态", "备注", *_SUBMISSION,
)  # fmt: skip

# What a spot check says (spec/a_inspection.md §6.1), in the order of the sampling sheet: heading → field of the form.
# Telephone numbers are left to the record itself, and masked where they stand in a text that somebody typed.
_SAMPLING = {
    "抽样单编号": "sheet_no", "抽查任务名称": "plan_name", "抽查领域": "field_kind", "统一社会信用代码": "uscc",
    "企业名称": "org_name", "企业地址": "org_address", "标称生产者": "nominal_producer",
    "标称生产者统一社会信用代码": "nominal_producer_uscc", "标称生产者地址": "producer_address",
    "抽样日期": "sampled_on", "抽样人员": "samplers", "未抽到样原因": "no_sample_reason",
    "样品名称": "sample_name", "商标": "trademark", "规格型号": "spec_model", "产品等级": "grade",
    "批号": "batch_no", "生产日期": "production_date", "抽样基数/批量": "sampling_base",
    "抽样基数单位": "sampling_base_unit", "抽样数量": "sample_qty", "抽样数量单位": "sample_qty_unit",
    "备样数量": "reserve_qty", "备样数量单位": "reserve_qty_unit", "抽样地点": "sampling_place",
    "执行标准": "exec_standard", "许可证/CCC证书编号": "licence_or_ccc_no", "检验机构": "inspection_org",
    "检验报告编号": "report_no", "检验报告日期": "report_date",
}  # fmt: skip
_DAYS = frozenset({"sampled_on", "production_date", "report_date"})
_QUANTITIES = frozenset({"sampling_base", "sample_qty", "reserve_qty"})
_SPOT_CHECK_COLUMNS = (
    "记录编号",
    "产品",
    "抽到样品",
    *_SAMPLING,
    "检验项目",
    "不合格项目",
    "检验结论",
    "名称与名录不符",
    "备注",
    *_SUBMISSION,
)

Cells = Callable[[Inspection], list[Any]]


def columns(record_type: str) -> tuple[str, ...]:
    """The headings of the table."""
    return _SPOT_CHECK_COLUMNS if record_type == SPOT_CHECK else _CHECK_COLUMNS


def cells(record_type: str, forms: FormLibrary) -> Cells:
    """What makes a record the cells of its row, in the order of `columns`."""

    @cache
    def labels(code: str, version: int) -> Mapping[str, Mapping[str, str]]:
        return _labels(forms.get(code, version).form.definition)

    def row(record: Inspection) -> list[Any]:
        of_form = labels(record.form_code, record.form_version)
        if record_type == SPOT_CHECK:
            return _spot_check_cells(record, of_form)
        return _check_cells(record, of_form, forms.get(record.form_code, record.form_version).form)

    return row


def _labels(definition: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """What the options of each field are called on the form."""
    return {
        item["field"]: {option["value"]: option["label"] for option in item["options"]}
        for section in definition["sections"]
        for item in section["items"]
        if "field" in item and "options" in item
    }


def _submission_cells(record: Inspection) -> list[Any]:
    corrected, voided = record.corrected or {}, record.voided or {}
    return [
        record.office_name, record.username, record.operator_name, record.submitted_at,
        corrected.get("count"), _instant(corrected), _who(corrected), _instant(voided), voided.get("reason"),
    ]  # fmt: skip


def _differs(record: Inspection) -> str | None:
    """Marks a row whose code and name belong to two enterprises."""
    return "是" if record.name_differs else None


def _instant(mark: Mapping[str, Any]) -> datetime | None:
    return datetime.fromisoformat(mark["at"]) if mark else None


def _who(mark: Mapping[str, Any]) -> str | None:
    return f"{mark['by']}（{mark['office']}）" if mark else None


def _check_cells(record: Inspection, labels: Mapping[str, Mapping[str, str]], form: Form) -> list[Any]:
    data = record.data
    place = data.get("production_address") or data.get("business_address")
    reason = _cell("unable_reason", data.get("unable_reason"), labels.get("unable_reason", {}))
    # A draft has no findings yet: its answers are complete only when it is submitted.
    found = findings(form, data) if record.problems_found else []
    return [
        str(record.id), KINDS[record.kind].label, PRODUCTS[record.product_code].name, record.uscc, record.org_name,
        _differs(record), data.get("org_address"), place, record.check_date,
        _cell("inspectors", data.get("inspectors"), {}),
        "是" if record.unable else "否",
        mask_numbers("：".join(str(part) for part in (reason, data.get("unable_note")) if part)) or None,
        "是" if record.problems_found else "否", mask_numbers("；".join(map(str, found))) or None,
        _DISPOSAL[record.disposal_state], mask_numbers(data.get("remark")), *_submission_cells(record),
    ]  # fmt: skip


def _spot_check_cells(record: Inspection, labels: Mapping[str, Mapping[str, str]]) -> list[Any]:
    data = record.data
    items = [row for row in data.get("items") or () if isinstance(row, dict)]
    sampled = "否" if data.get("no_sample_reason") else "是" if record.submitted_at else None
    return [
        str(record.id), PRODUCTS[record.product_code].name, sampled,
        *(_cell(field, data.get(field), labels.get(field, {})) for field in _SAMPLING.values()),
        "；".join(_test_result(row) for row in items),
        "；".join(_name(row) for row in items if row.get("verdict") == "fail"),
        _VERDICT.get(record.conclusion or "", ""), _differs(record), mask_numbers(data.get("remark")),
        *_submission_cells(record),
    ]  # fmt: skip


def _cell(field: str, value: Any, labels: Mapping[str, str]) -> Any:
    """A value of the form as a cell; what is no day or number in a draft stays as it was typed."""
    if isinstance(value, list):
        return "、".join(str(one) for one in value)
    if not isinstance(value, str):
        return value
    if field in _DAYS:
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    if field in _QUANTITIES:
        try:
            return Decimal(value)
        except InvalidOperation:
            return value
    return labels.get(value, value)


def _name(row: Mapping[str, Any]) -> str:
    return str(row.get("item_name") or row.get("item_id") or "")


def _test_result(row: Mapping[str, Any]) -> str:
    said = [f"{word}{row[key]}" for key, word in (("requirement", "要求"), ("measured", "实测")) if row.get(key)]
    verdict = _VERDICT.get(row.get("verdict", ""), "")
    return f"{_name(row)}：{verdict}" + (f"（{'，'.join(said)}）" if said else "")
