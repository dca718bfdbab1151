"""The same papers as editable Word (.docx): templates of docxtpl, with the order and the words of the printed ones.

What can be edited proves nothing: a Word file has no code and says so in its foot. Offices' types are named
(方正小标宋简体, 仿宋_GB2312); Word takes others where they are not installed.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from jinja2.sandbox import SandboxedEnvironment
from PIL import Image

from assets.paper.papers import Paper, Press

log = structlog.get_logger()

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_PLAIN = "record"
_LINE = "＿" * 8
_BESIDE = 2
"""Photos in one row."""


def docx(press: Press, paper: Paper) -> bytes:
    """The paper as .docx, by the bureau's own template (`DATA_DIR/papers/<name>.docx`) where there is a sound one."""
    pictures = press.pictures_of(paper)
    built_in = paper.template.with_suffix(".docx")
    own = press.templates / built_in.name
    if own.is_file():
        try:
            return filled_in(own, paper, pictures)
        # Whatever is wrong with it: the built-in one is used.
        except Exception as error:
            log.error("own_template_broken", folder=str(own), reason=str(error), mend="replace or remove the file")
    return filled_in(built_in, paper, pictures)


def filled_in(template: Path, paper: Paper, pictures: Mapping[str, bytes]) -> bytes:
    """A template with the data of a paper. Raises as docxtpl does where the template is broken."""
    document = DocxTemplate(template)
    environment = SandboxedEnvironment(autoescape=True)
    document.render(_data(document, paper.data, pictures), environment, autoescape=True)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def _data(document: DocxTemplate, data: Mapping[str, Any], pictures: Mapping[str, bytes]) -> dict[str, Any]:
    """What a template may name: the data of the printed one, and what that works out by itself."""
    drawn = {one["name"]: one["file"] for one in data["signatures"] if one["name"]}
    people = str(data["fields"].get("inspectors") or data["fields"].get("samplers") or "").split("、")

    def signature(name: str) -> Any:
        file = drawn.get(name)
        return InlineImage(document, io.BytesIO(pictures[file]), height=Mm(9)) if name and file else _LINE

    photos = [
        {
            "image": InlineImage(document, io.BytesIO(pictures[name]), **_side(pictures[name])),
            "label": group["label"] + (f"（{number}）" if len(group["files"]) > 1 else ""),
        }
        for group in data["photos"] for number, name in enumerate(group["files"], 1)
    ]  # fmt: skip
    title, _, under = data["title"].replace("）", "").partition("（")
    return {
        **data, "heading": title, "under": under,
        "sections": [_section(section) for section in data["sections"]],
        "pairs": list(_pairs([pair for pair in data["head"] if pair[1]])),
        "lines": list(joined(data["sections"])), "people": people, "signature": signature, "day": day,
        "photo_rows": [
            {"left": row[0], "right": row[1] if len(row) > 1 else {"image": "", "label": ""}}
            for row in (photos[at : at + _BESIDE] for at in range(0, len(photos), _BESIDE))
        ],
    }  # fmt: skip


def day(text: str) -> str:
    """A day as papers write it (2026年5月12日); places for the pen where there is none."""
    if not text:
        return "　　年　　月　　日"
    year, month, number = text[:10].split("-")
    return f"{year}年{int(month)}月{int(number)}日"


def _side(picture: bytes) -> dict[str, Any]:
    """How large a photo stands: 76 mm wide, or 60 mm high where it is upright."""
    with Image.open(io.BytesIO(picture)) as opened:
        return {"width": Mm(76)} if opened.width >= opened.height else {"height": Mm(60)}


def _section(section: Mapping[str, Any]) -> dict[str, Any]:
    labels = [label for label, _ in section["samples"][0]["head"]] if section["samples"] else []
    return {
        **section,
        "items": [{**one, "answer": answer(one)} for one in section["items"]],
        "rows": [
            {"cells": "　".join(f"{label}：{value}" for label, value in row["head"] if value), "number": number}
            for number, row in enumerate(section["samples"], 1)
        ],
        "labels": labels,
    }  # fmt: skip


def answer(one: Mapping[str, Any]) -> str:
    """The boxes of an answer as the printed paper stacks them (`answer` in `shared/parts.typ`), a line each."""
    boxes = [_box(box) for box in one["boxes"]]
    ticked = [part for part in one["details"] if part["boxes"]]
    lines = []
    if ticked and len(boxes) > 1:
        behind = "　".join(_box(box) for part in ticked for box in part["boxes"])
        lines += [f"{boxes[0]}　{behind}", "　".join(boxes[1:])]
    else:
        lines += ["　　".join(boxes)] if boxes else []
        lines += [f"{part['text']}：{'　'.join(_box(box) for box in part['boxes'])}" for part in ticked]
    lines += [one["value"]] if one["value"] else []
    lines += [f"{part['text']}：{part['value']}" for part in one["details"] if not part["boxes"]]
    return "\n".join(lines)


def joined(sections: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The points of a form as the rows of one table, for templates that join the cells of a row over its points.

    `number_merge`, `about_merge`: "restart" where a joined cell begins, "continue" where it goes on. Rows that follow
    one another under one number (3 (a), 3 (b)) have the number and the penalty once.
    """
    before = None
    for section in sections:
        number, cut, about = section["title"].partition(" ")
        if not cut:
            number, about = "", section["title"]
        for block in section["samples"] or ([section] if section["items"] else []):
            head = [f"{label}：{value}" for label, value in block.get("head", ())]
            problems = [f"{one['no']} {one['problem']}" for one in block["items"] if one["problem"]]
            goes_on = number == before and not head
            for place, one in enumerate(block["items"]):
                first = place == 0
                yield {
                    "number": number if first and not goes_on else "",
                    "number_merge": "restart" if first and not goes_on else "continue",
                    "about": "\n".join([about, *head]) if first else "", "basis": one["basis"] if first else "",
                    "about_merge": "restart" if first else "continue",
                    "point": f"{one['text']}\n{'　'.join(_box(box) for box in one['boxes'])}",
                    "problem": "\n".join(problems) if first else "",
                    "penalty": one["penalty"] if first and not goes_on else "",
                }  # fmt: skip
            before = number


def _box(box: Mapping[str, Any]) -> str:
    return ("☑" if box["chosen"] else "□") + str(box["label"])


def _pairs(pairs: Sequence[Sequence[str]]) -> Iterator[dict[str, str]]:
    """Two labels with their values to a row; what is long or left over has the row, and its second label is empty."""
    waiting: Sequence[str] | None = None
    for pair in pairs:
        if len(pair[1]) > 20 or waiting is None:
            if len(pair[1]) > 20:
                if waiting is not None:
                    yield _row(waiting)
                    waiting = None
                yield _row(pair)
            else:
                waiting = pair
        else:
            yield _row(waiting, pair)
            waiting = None
    if waiting is not None:
        yield _row(waiting)


def _row(left: Sequence[str], right: Sequence[str] = ("", "")) -> dict[str, str]:
    return {"left": left[0], "left_value": left[1], "right": right[0], "right_value": right[1]}
