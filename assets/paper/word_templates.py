"""Makes the Word templates that lie beside the printed ones: `python -m assets.paper.word_templates`.

They are ordinary .docx files with the tags of docxtpl, which a bureau may change in Word; this file is what they came
from, so that what they say can be read and compared.
"""

import sys
from pathlib import Path

from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt

from assets.paper import law_templates
from assets.paper.word_writing import Written

ROOT = Path(__file__).resolve().parents[2]


def _questions(written: Written, first: str) -> None:
    written.table(
        [72, 58, 44],
        [first, first.replace("内容", "情况"), "存在问题"],
        ["{%tr for section in sections %}", "", ""],
        ["{%tr for one in section['items'] %}", "", ""],
        ["{{ one.no }}.{{ one.text }}", "{{ one.answer }}", "{{ one.problem }}"],
        ["{%tr endfor %}", "", ""],
        ["{%tr endfor %}", "", ""],
        heads=1,
    )


def self_check_sales() -> Written:
    """Annex 2."""
    written = Written()
    written.heading("{{ heading }}", "{{ under }}")
    written.line(
        "自查单位（盖章）：{{ fields.org_name }}　　填表人：{{ fields.filled_by }}　　时间：{{ fields.check_date }}"
    )
    _questions(written, "自查内容")
    written.line("注：如有存在问题，则需另附整改报告")
    return written


def self_check_production() -> Written:
    """Annex 3."""
    written = Written()
    written.heading("{{ heading }}", "{{ under }}")
    written.line("自查单位（盖章）：{{ fields.org_name }}　　法人代表（签字）：＿＿＿＿＿＿")
    written.line("填表人（签字）：＿＿＿＿＿＿　　时间：{{ fields.check_date }}")
    written.line("法人代表：{{ fields.legal_representative }}　填表人：{{ fields.filled_by }}", size=Pt(9))
    _questions(written, "自查内容")
    written.line("注：如有存在问题，则需另附隐患台帐及整改报告。")
    return written


def onsite() -> Written:
    """Annexes 4 and 5."""
    written = Written()
    written.heading("{{ district }}{{ heading }}", "{{ under }}")
    _questions(written, "检查内容")
    written.line("")
    written.line(
        "被检查单位（盖章）：　　　　　　现场陪同人员（签字）：{{ signature(fields.escort) }}　　"
        "时间：{{ fields.signed_by_org_on or fields.check_date }}"
    )
    written.line(
        "检查人员（签字）：{% for name in people %}{{ signature(name) }}{% endfor %}　　"
        "时间：{{ fields.signed_by_inspectors_on or fields.check_date }}"
    )
    written.line("被检查单位：{{ fields.org_name }}　地址：{{ fields.org_address }}", size=Pt(9))
    written.line("检查人员：{{ fields.inspectors }}　现场陪同人员：{{ fields.escort }}", size=Pt(9))
    written.photos()
    return written


_OTHER = "其他（在企业检查时发现本检查提纲未尽事宜，并且属于重要的信息）。"


def ccc_production() -> Written:
    """Annex 6."""
    written = Written()
    written.heading("{{ year }}年{{ heading }}", "（{{ office }}）")
    written.table(
        [24, 50, 18, 40, 20, 22],
        [
            "被检查对象",
            "{{ fields.org_name }}",
            "检查人",
            "{{ fields.inspectors }}",
            "检查时间",
            "{{ fields.check_date }}",
        ],
    )
    written.line("")
    names = ["序号", "核查内容或问题点", "检查依据", "核查要点", "存在问题描述", "参考处罚依据"]
    table = written.table(
        [11, 30, 22, 52, 32, 27],
        names,
        ["{%tr for one in lines %}", *[""] * 5],
        ["{{ one.number }}", "{{ one.about }}", "{{ one.basis }}", "{{ one.point }}", "{{ one.problem }}",
         "{{ one.penalty }}"],
        ["{%tr endfor %}", *[""] * 5],
        ["8", _OTHER, "", "{{ fields.other_matters }}", "", ""],
        ["总体情况", "", "本次检查，共发现存在如下几个问题：\n{{ fields.overall }}", "", "", ""],
        heads=1, size=9,
    )  # fmt: skip
    for place, tag in enumerate(("number", "about", "about", None, "about", "number")):
        if tag is not None:
            merge = OxmlElement("w:vMerge")
            merge.set(qn("w:val"), f"{{{{ one.{tag}_merge }}}}")
            table.rows[2].cells[place]._tc.get_or_add_tcPr().append(merge)
    for row, spans in ((4, ((1, 2), (3, 5))), (5, ((0, 1), (2, 5)))):
        for start, end in spans:
            kept = table.rows[row].cells[start].text
            merged = table.rows[row].cells[start].merge(table.rows[row].cells[end])
            for paragraph in merged.paragraphs[1:]:
                paragraph._element.getparent().remove(paragraph._element)
            assert merged.text == kept
    written.line("")
    written.line("被检查方（加盖公章）：　　　　　　　　　　现场负责人：{{ signature(fields.escort) }}")
    written.line(
        "检查组组长：{{ signature(fields.leader) }}　　　　检查组成员："
        "{% for name in people if name != fields.leader %}{{ signature(name) }}{% endfor %}"
    )
    written.line("检查日期：{{ fields.check_date }}")
    written.photos()
    return written


def record() -> Written:
    """Every other record."""
    written = Written()
    written.heading("{{ title }}", "{{ office }}")
    written.table(
        [30, 57, 30, 57],
        ["{%tr for row in pairs %}", "", "", ""],
        ["{{ row.left }}", "{{ row.left_value }}", "{{ row.right }}", "{{ row.right_value }}"],
        ["{%tr endfor %}", "", "", ""],
    )
    written.line("{%p for section in sections %}")
    written.line("{%p if section['items'] %}")
    written.table(
        [90, 40, 44],
        ["{{ section.title }}", "", ""],
        ["{%tr for one in section['items'] %}", "", ""],
        ["{{ one.no }} {{ one.text }}", "{{ one.answer }}", "{{ one.problem }}"],
        ["{%tr endfor %}", "", ""],
        heads=1,
    )
    written.line("{%p endif %}")
    written.line("{%p if section.rows %}")
    written.table(
        [14, 160],
        ["序号", "{{ section.title }}"],
        ["{%tr for row in section.rows %}", ""],
        ["{{ row.number }}", "{{ row.cells }}"],
        ["{%tr endfor %}", ""],
        heads=1,
    )
    written.line("{%p endif %}")
    written.line("{%p endfor %}")
    written.line("被检查（抽样）单位（盖章）：　　　　　　现场陪同人员（签字）：{{ signature(fields.escort) }}")
    written.line("检查（抽样）人员（签字）：{% for name in people %}{{ signature(name) }}{% endfor %}")
    written.line("日期：{{ fields.check_date or fields.sampled_on }}")
    written.photos()
    return written


TEMPLATES = {
    "enterprise/production/papers/self-check-sales.docx": self_check_sales,
    "enterprise/production/papers/self-check-production.docx": self_check_production,
    "inspection/papers/onsite-sales.docx": onsite,
    "inspection/papers/onsite-production.docx": onsite,
    "inspection/papers/ccc-production.docx": ccc_production,
    "inspection/papers/record.docx": record,
}


def main() -> int:
    """Write all of them, or those alone whose path has the text that is given."""
    for path, made in (TEMPLATES | law_templates.TEMPLATES).items():
        if all(part in path for part in sys.argv[1:]):
            made().save(ROOT / path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
