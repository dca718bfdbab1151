"""What a check found (发现的问题), item by item: statements that an enterprise can read, not the form's questions.

A form has the statement of each of its items in `problem_text`. The first versions of our forms were published without,
and published versions never change, so their statements stand here. Where a bureau's own form has none, the question is
shown with its answer (“是否依法取得证照：否”), which fits every item.

What the inspector wrote about an item (存在问题) is the answer to the item `<number>.problem`; of a part such as
`12.failed` it is what was written about `12`. Each row of a group has its findings: `7.4（2）` is of the second row.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.forms.form import Form

_OF_FIRST_VERSIONS: Mapping[tuple[str, int], Mapping[str, str]] = {
    ("gpc-production", 1): {
        "1.1": "未依法取得营业执照、生产许可证或强制性产品认证等相关证照",
        "1.2": "存在无证生产",
        "1.3": "存在超范围生产",
        "1.4": "在证书撤销、注销或暂停期间继续出厂、销售",
        "2.1": "未建立质量管理体系、采购验证及原料索票、索证和检验制度",
        "2.2": "未保留重要原材料检验、验证记录",
        "2.3": "关键原材料不符合标准要求",
        "3.1": "生产过程关键质量控制点不到位",
        "3.2": "存在偷工减料、掺杂掺假",
        "3.3": "质量管理人员和技术人员不具备相应能力",
        "4.1": "未进行产品出厂检验（自检/委检）",
        "4.2": "出厂检验记录不齐全",
        "5.1": "合格标志未按规定加贴，或与产品实际不一致",
        "5.2": "CCC标志使用不正确",
        "6.1": "未建立销售台账，或未如实记录",
        "6.2": "产品质量不能有效溯源",
        "6.3": "未及时更换、退货、召回问题产品",
    },
    ("gpc-sales", 1): {
        "1.1": "未依法取得营业执照",
        "1.2": "未建立或未落实进货检查验收制度",
        "1.3": "销售台账不健全",
        "2.1": "产品标识不符合要求",
        "2.2": "产品铭牌信息与认证证书不一致",
        "2.3": "伪造产地，伪造或冒用厂名、厂址",
        "3.1": "销售无生产许可证、未获得强制性产品认证的产品",
        "3.2": "认证证书状态无效",
        "3.3": "伪造、冒用、买卖或转让认证证书、认证标志",
    },
}
_NOTE = ".problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem: the number of its item, its statement, and the note of the inspector."""

    no: str
    statement: str
    note: str | None

    def __str__(self) -> str:
        # On one line, because several are joined in one cell or sentence.
        return f"{self.no} {self.statement}" + (f"：{' '.join(self.note.split())}" if self.note else "")

    def as_json(self) -> dict[str, Any]:
        """As the HTTP contract shows it."""
        return {"no": self.no, "statement": self.statement, "note": self.note}


def findings(form: Form, data: Mapping[str, Any]) -> list[Finding]:
    """The problems that the answers contain, in the order of the form."""
    found: list[Finding] = []
    for section in form.definition["sections"]:
        for item in section["items"]:
            if item["type"] == "group":
                for number, row in enumerate(_rows(data.get(item["field"])), 1):
                    found += [
                        replace(one, no=f"{one.no}（{number}）")
                        for inner in item["items"]
                        for one in _of_item(form, inner, row)
                    ]
            else:
                found += _of_item(form, item, data.get("answers"))
    return found


def _of_item(form: Form, item: Mapping[str, Any], answers: Any) -> Iterator[Finding]:
    """The finding of a numbered item among the answers of the form, or of a row."""
    if "no" not in item or not isinstance(answers, Mapping):
        return
    bad = [value for value in _given(answers.get(item["no"])) if value in item.get("problem_when", ())]
    if bad:
        note = answers.get(item["no"] + _NOTE) or answers.get(item["no"].rpartition(".")[0] + _NOTE)
        yield Finding(item["no"], _statement(form, item, bad), note if isinstance(note, str) else None)


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _given(answer: Any) -> list[Any]:
    return answer if isinstance(answer, list) else [] if answer is None else [answer]


def _statement(form: Form, item: Mapping[str, Any], bad: list[Any]) -> str:
    text = item.get("problem_text") or _OF_FIRST_VERSIONS.get((form.code, form.version), {}).get(item["no"])
    if text:
        return str(text)
    labels = {option["value"]: option["label"] for option in item.get("options", ())} | {True: "是", False: "否"}
    return f"{item['text']}：{'、'.join(str(labels.get(value, value)) for value in bad)}"
