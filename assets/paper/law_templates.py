"""The Word templates of law enforcement papers (执法文书), with the order and the words of the printed ones.

`groups`, `served_title` and the other names are those of the printed ones (`inspection/enforcement/papers/law.typ`).
"""

from typing import Any

from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt

from assets.paper.word_writing import TITLE, Written

_PEN = "＿" * 8
_DAY = "　　年　　月　　日"
_COPIES = "本文书一式两份，一份送达，一份归档。"
_NAMED = (
    "{{% for one in groups.{0} %}}{{{{ one.name }}}}（执法证号：{{{{ one.certificate_no }}}}）"
    "{{% if not loop.last %}}、{{% endif %}}{{% endfor %}}"
)
INSPECTORS, SERVERS = _NAMED.format("inspectors"), _NAMED.format("servers")
_REFUSAL = (
    "被检查人拒绝签字，理由：{{ fields.refusal_reason }}。\n"
    "见证人：{{ fields.witness }}　　见证人（签名）：" + _PEN
)  # fmt: skip


def inspection_approval() -> Written:
    """行政检查审批表."""
    written = Written()
    written.heading("{{ title }}", "{{ office }}")
    _numbered(written)
    table = written.table(
        [27, 60, 27, 60],
        ["被检查人", "{{ fields.org_name }}", "", ""],
        ["统一社会信用代码", "{{ fields.uscc }}", "检查日期", "{{ day(fields.check_date) }}"],
        ["住所", "{{ fields.org_address }}", "", ""],
        ["任务来源", "{{ fields.source }}", "检查方式", "{{ fields.method }}"],
        ["检查依据", "{{ fields.basis }}", "", ""],
        ["检查事项和内容", "{{ fields.content }}", "", ""],
        ["检查人员", INSPECTORS, "", ""],
        ["协助检查人员", "{{ fields.assistants }}", "", ""],
        ["本年度已检查情况", "{{ fields.frequency }}", "", ""],
        ["紧急检查", "{% if fields.urgent == '是' %}☑ 是，事后补办审批。情况说明：{{ fields.urgent_reason }}"
                 "{% else %}□ 是　☑ 否{% endif %}", "", ""],
        ["承办人", f"{{{{ prepared_by }}}}　　签名：{_PEN}　　日期：{_DAY}", "", ""],
        ["负责人审批意见",
         "{{ decided.opinion }}\n\n审批人：{{ decided.by or '" + _PEN + "' }}　　{{ day(decided.at) }}", "", ""],
    )  # fmt: skip
    _wide(table, but=(1, 3))
    return written


def inspection_notice() -> Written:
    """行政检查通知书."""
    written = _letter()
    written.line("{{ fields.org_name }}：")
    _paragraphs(
        written,
        "根据{{ fields.basis }}，本机关决定于{{ day(fields.check_date) }}在{{ fields.place }}对你单位进行行政检查。"
        "现将有关事项通知如下：",
        "一、检查事项和内容：{{ fields.content }}",
        f"二、检查人员：{INSPECTORS}。检查人员将主动出示执法证件。",
        "{%p if fields.materials %}",
        "三、请准备下列材料：{{ fields.materials }}",
        "{%p endif %}",
        "你单位有权要求检查人员出示执法证件，有权陈述、申辩；认为检查人员与本次检查有直接利害关系的，有权申请回避；"
        "检查人员未出示执法证件或者未出示本通知书的，有权拒绝检查。你单位应当如实提供有关情况和材料，配合检查。",
        "联系人：{{ fields.contact_name }}　　联系电话：{{ fields.contact_tel }}",
    )
    _seal(written)
    written.line(f"被检查人签收：{_PEN}　　日期：{_DAY}")
    written.line(_COPIES, size=Pt(10.5))
    return written


def site_record() -> Written:
    """现场检查笔录."""
    written = _letter()
    for text in (
        "检查时间：{{ day(fields.check_date) }} {{ fields.time_from }} 至 {{ fields.time_to }}",
        "检查地点：{{ fields.place }}",
        "被检查人：{{ fields.org_name }}　　统一社会信用代码：{{ fields.uscc }}",
        "法定代表人（负责人）：{{ fields.legal_representative }}　　现场负责人：{{ fields.escort }}　"
        "{{ fields.escort_post }}",
        f"检查人员：{INSPECTORS}",
    ):
        written.line(text, size=Pt(12))
    _paragraphs(
        written,
        "告知事项：检查人员{% if fields.showed_certificates == '是' %}已{% else %}未{% endif %}出示执法证件，"
        "{% if fields.told_rights == '是' %}已{% else %}未{% endif %}告知被检查人依法享有陈述、申辩和申请检查人员回避的"
        "权利。被检查人：{{ fields.recusal }}检查人员回避。",
        "现场检查情况：{{ fields.facts }}",
        "{%p if fields.statement %}",
        "被检查人的陈述、申辩：{{ fields.statement }}",
        "{%p endif %}",
        "{%p if fields.refused_to_sign == '是' %}",
        "以上笔录已交被检查人核对（或者向其宣读）。",
        "{%p else %}",
        "以上笔录经被检查人核对（或者向其宣读），记录与事实相符。",
        "{%p endif %}",
    )
    written.line(f"被检查人（签名）：{{{{ signature('party_signature') }}}}　　日期：{_DAY}")
    written.line("{%p if fields.refused_to_sign == '是' %}")
    written.line(_REFUSAL)
    written.line("{%p endif %}")
    written.line(f"检查人员（签名）：{{{{ signature('inspector_signature') }}}}、{_PEN}　　日期：{_DAY}")
    return written


def correction_order() -> Written:
    """责令改正通知书."""
    written = _letter()
    written.line("{{ fields.org_name }}：")
    _paragraphs(
        written,
        "（{% if fields.uscc %}统一社会信用代码：{{ fields.uscc }}　{% endif %}住所：{{ fields.org_address }}"
        "{% if fields.legal_representative %}　法定代表人（负责人）：{{ fields.legal_representative }}{% endif %}）",
        "经查，你单位存在下列行为：{{ fields.facts }}",
        "上述行为违反了{{ fields.violated }}的规定。依据{{ fields.basis }}的规定，现责令你单位"
        "{% if fields.due_on %}于{{ day(fields.due_on) }}前改正{% else %}立即改正{% endif %}。"
        "改正内容及要求：{{ fields.demand }}",
        "{%p if fields.due_on %}",
        "本机关将在期限届满后复查。逾期不改正的，将依法处理。",
        "{%p endif %}",
        "联系人：{{ fields.contact_name }}　　联系电话：{{ fields.contact_tel }}",
    )
    _seal(written)
    written.line(f"检查人员：{INSPECTORS}")
    written.line(_COPIES, size=Pt(10.5))
    return written


def service_receipt() -> Written:
    """送达回证."""
    written = Written()
    written.heading("{{ title }}", "{{ office }}")
    table = written.table(
        [30, 57, 30, 57],
        ["送达文书名称及文号", "{{ served_title }}　{{ number }}", "", ""],
        ["受送达人", "{{ fields.recipient }}", "", ""],
        ["送达日期", "{{ day(fields.served_on) }}", "送达方式", "{{ fields.method }}"],
        ["送达地点", "{{ fields.place }}", "", ""],
        ["收件人签名（盖章）", f"{{{{ fields.received_by }}}}　　{_PEN}　　日期：{_DAY}", "", ""],
        ["拒绝签收", "{% if fields.refused_to_sign == '是' %}理由：{{ fields.refusal_reason }}　　"
                 f"见证人：{{{{ fields.witness }}}}　签名：{_PEN}{{% else %}}无{{% endif %}}", "", ""],
        ["送达人", f"{SERVERS}\n签名：{_PEN}", "", ""],
        ["备注", "{{ fields.remark }}", "", ""],
    )  # fmt: skip
    _wide(table, but=(2,))
    return written


def plain() -> Written:
    """Any other paper, as one that a bureau adds by a form of its own."""
    written = Written()
    written.heading("{{ title }}", "{{ office }}")
    _numbered(written)
    written.table(
        [30, 57, 30, 57],
        ["{%tr for row in pairs %}", "", "", ""],
        ["{{ row.left }}", "{{ row.left_value }}", "{{ row.right }}", "{{ row.right_value }}"],
        ["{%tr endfor %}", "", "", ""],
    )
    written.line("")
    written.line("{%p for rows in groups.values() %}")
    written.line("{%p for row in rows %}")
    written.line("{{ row.values()|join('　') }}")
    written.line("{%p endfor %}")
    written.line("{%p endfor %}")
    written.line("{%p if fields.refused_to_sign == '是' %}")
    written.line(_REFUSAL)
    written.line("{%p endif %}")
    _seal(written)
    return written


def _letter() -> Written:
    written = Written()
    written.line("{{ office }}", size=Pt(15), centred=True)
    written.line("{{ title }}", size=Pt(22), font=TITLE, centred=True)
    _numbered(written)
    return written


def _numbered(written: Written) -> None:
    written.line("{% if issued_on %}{{ number }}{% endif %}", size=Pt(11))
    written.document.paragraphs[-1].alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _paragraphs(written: Written, *texts: str) -> None:
    """Paragraphs of a letter, the first line indented by two characters."""
    for text in texts:
        written.line(text, size=Pt(12))
        if not text.startswith("{%p"):
            written.document.paragraphs[-1].paragraph_format.first_line_indent = Pt(24)


def _seal(written: Written) -> None:
    written.line("")
    for text in ("{{ office }}（印章）", "{{ day(issued_on) }}"):
        written.line(text, size=Pt(12))
        written.document.paragraphs[-1].alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _wide(table: Any, *, but: tuple[int, ...]) -> None:
    """Join the cells behind the first one in all rows but these."""
    for number, row in enumerate(table.rows):
        if number not in but:
            merged = row.cells[1].merge(row.cells[3])
            for paragraph in merged.paragraphs[1:]:
                if not paragraph.text:
                    paragraph._element.getparent().remove(paragraph._element)


_FOLDER = "inspection/enforcement/papers"
TEMPLATES = {
    f"{_FOLDER}/le-inspection-approval.docx": inspection_approval,
    f"{_FOLDER}/le-inspection-notice.docx": inspection_notice,
    f"{_FOLDER}/le-site-record.docx": site_record,
    f"{_FOLDER}/le-correction-order.docx": correction_order,
    f"{_FOLDER}/le-service-receipt.docx": service_receipt,
    f"{_FOLDER}/enforcement.docx": plain,
}
