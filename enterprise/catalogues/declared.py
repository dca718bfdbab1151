"""The catalogues that systems use, and what their entries say besides code and name (`detail`).

A form names a catalogue by its code: `options_from` with `search`, or `rows_from`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Detail:
    """A column of details: text, a decimal number, yes or no, or a list of texts (separated by 、 or ;)."""

    key: str
    heading: str
    kind: Literal["text", "number", "flag", "list"] = "text"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`below`: entries stand below entries of another catalogue, or below a code that the form knows (上级代码)."""

    code: str
    title: str
    details: tuple[Detail, ...] = ()
    below: bool = False


CATALOGUES: Final[Mapping[str, Catalogue]] = {
    one.code: one
    for one in (
        Catalogue("hs_codes", "HS编码", (Detail("unit", "计量单位"),)),
        Catalogue(
            "hs_features",
            "产品特性",
            (Detail("options", "选项", "list"), Detail("required", "必填", "flag")),
            below=True,
        ),
        Catalogue(
            "indicators",
            "考评指标",
            (Detail("stars", "星级", "number"), Detail("score", "分数", "number"), Detail("rule", "考评细则")),
            below=True,
        ),
    )
}
