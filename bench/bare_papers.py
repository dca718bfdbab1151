"""What papers are measured against: typst alone, told to set the words of a record as one plain table."""

import json
import time
from collections.abc import Mapping
from typing import Any

import typst

from assets.paper.fonts import installed

_SOURCE = b"""
#let rows = json(bytes(sys.inputs.rows))
#set page(paper: "a4", margin: 18mm)
#set text(size: 10.5pt, lang: "zh", font: "Noto Serif SC")
#table(columns: (1fr, 42mm, 46mm), stroke: 0.5pt, inset: 5pt, ..rows.flatten())
"""


def compile_plainly(records: list[Mapping[str, Any]]) -> float:
    """CPU seconds of one process for as many PDFs; fonts are read once, nothing is joined or stored."""
    faces = installed("serif", None).faces("是")
    fonts = typst.Fonts(False, False, [str(face.path.parent) for face in faces])
    began = time.process_time()
    for record in records:
        rows = [[label, str(value), ""] for label, value in record["head"]] + [
            [f"{one['no']} {one['text']}", "是　否", one["problem"]]
            for section in record["sections"] for one in section["items"]
        ]  # fmt: skip
        typst.Compiler(font_paths=fonts).compile(_SOURCE, format="pdf", sys_inputs={"rows": json.dumps(rows)})
    return time.process_time() - began
