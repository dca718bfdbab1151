"""Writing a Word template: headings, tables and fields of docxtpl in the type that offices use."""

from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

TITLE, BODY = "方正小标宋简体", "仿宋_GB2312"
"""What offices write in (GB/T 9704)."""
_WIDTH = 174


class Written:
    """A template that is being written, A4 upright."""

    def __init__(self) -> None:
        self.document = Document()
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin = section.right_margin = Mm(18)
        section.top_margin, section.bottom_margin = Mm(20), Mm(20)
        style = self.document.styles["Normal"]
        style.font.size = Pt(10.5)
        _fonts(style.element, BODY)
        head = section.header.paragraphs[0]
        head.alignment = WD_ALIGN_PARAGRAPH.CENTER
        self._run(head, "{{ across }}", Pt(16))
        foot = section.footer.paragraphs[0]
        self._run(foot, "编号：{{ number }}　可编辑稿，不作核验凭证　第", Pt(8))
        _field(foot, "PAGE")
        self._run(foot, "页/共", Pt(8))
        _field(foot, "NUMPAGES")
        self._run(foot, "页", Pt(8))

    def heading(self, title: str, under: str) -> None:
        """The title in 小标宋, and the line below it."""
        for text, size, font in ((title, Pt(18), TITLE), (under, Pt(12), BODY)):
            self.line(text, size=size, font=font, centred=True)

    def line(self, text: str, *, size: Any = None, font: str = BODY, centred: bool = False) -> None:
        """A paragraph."""
        paragraph = self.document.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(4)
        if centred:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        self._run(paragraph, text, size, font)

    def table(self, widths: list[int], *rows: list[str], heads: int = 0, size: float = 10.5) -> Any:
        """A table with borders; its first `heads` rows stand again on every page. Tags of rows are cells alone."""
        table = self.document.add_table(len(rows), len(widths))
        table.style = "Table Grid"
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        table.autofit = False
        for place, width in enumerate(widths):
            table.columns[place].width = Mm(width)
        for number, row in enumerate(rows):
            cells = table.rows[number].cells
            for place, text in enumerate(row):
                cells[place].width = Mm(widths[place])
                paragraph = cells[place].paragraphs[0]
                if number < heads:
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
                self._run(paragraph, text, Pt(size), bold=number < heads)
            if number < heads:
                properties = table.rows[number]._tr.get_or_add_trPr()
                repeated = OxmlElement("w:tblHeader")
                repeated.set(qn("w:val"), "true")
                properties.append(repeated)
        return table

    def photos(self) -> None:
        """The photos, two in a row."""
        self.line("{%p if photo_rows %}")
        self.line("附：照片", size=Pt(13), centred=True)
        self.table(
            [87, 87], ["{%tr for row in photo_rows %}", ""],
            ["{{ row.left.image }}", "{{ row.right.image }}"], ["{{ row.left.label }}", "{{ row.right.label }}"],
            ["{%tr endfor %}", ""],
        )  # fmt: skip
        self.line("{%p endif %}")

    def save(self, path: Path) -> None:
        """Write the file; the same template has the same bytes but for the time in its zip."""
        properties = self.document.core_properties
        properties.author, properties.title, properties.comments = "", "", ""
        self.document.save(str(path))

    def _run(self, paragraph: Any, text: str, size: Any = None, font: str = BODY, *, bold: bool = False) -> None:
        run = paragraph.add_run(text)
        run.bold = bold
        if size is not None:
            run.font.size = size
        _fonts(run._element, font)


def _fonts(element: Any, name: str) -> None:
    properties = element.get_or_add_rPr()
    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = OxmlElement("w:rFonts")
        properties.insert(0, fonts)
    for kind in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
        fonts.set(qn(kind), name)


def _field(paragraph: Any, name: str) -> None:
    """A number that Word counts itself."""
    run = paragraph.add_run()
    run.font.size = Pt(8)
    for kind, text in (("begin", ""), ("", name), ("end", "")):
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        else:
            part.text = text
        run._element.append(part)
