"""Items that hold ids of uploads."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from core.forms.items import cells, keys
from core.forms.items.base import Counted, ItemType
from core.forms.items.keys import Key

_ID = {"type": "string", "format": "uuid"}


class _Upload(ItemType):
    """Where `owed_when` holds it may be owed although it is required (容缺): a submission without it has no fault and
    says what it owes; through the day that the date `owed_until` says, where one is named."""

    owed_when: Annotated[Any, keys.CONDITION] = None
    owed_until: Annotated[str | None, Key(keys.line(40), cells.TEXT)] = None

    verb: ClassVar[str] = "上传"
    is_upload: ClassVar[bool] = True
    format_fault: ClassVar[str] = "bad_file"
    sentences: ClassVar[Mapping[str, str]] = {
        "bad_file": "“{item.text}”中有无效的文件，请重新上传",
        "overdue": "“{item.text}”的补交期限已过，请上传",
    }

    def normalize(self, raw: Any) -> Any:
        cleaned = self.one_text(raw)
        return cleaned.lower() if type(cleaned) is str else cleaned

    def json_schema(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        return _ID

    @classmethod
    def key_conflicts(cls, raw: Mapping[str, Any], *, in_group: bool) -> Iterator[tuple[str, str, str]]:
        yield from super().key_conflicts(raw, in_group=in_group)
        if "owed_when" in raw and not (raw.get("required") or "required_when" in raw):
            yield "owed_when", "bad_value", "只有必填的附件才能容缺（owed_when）"
        if "owed_until" in raw and "owed_when" not in raw:
            yield "owed_until", "bad_value", "补交期限（owed_until）只用于可以容缺（owed_when）的附件"


class File(_Upload):
    """The id of one upload."""

    type: Literal["file"]


class Signature(_Upload):
    """The id of the picture of a signature."""

    type: Literal["signature"]
    verb: ClassVar[str] = "填写"
    sentences: ClassVar[Mapping[str, str]] = {**_Upload.sentences, "required": "请完成“{item.text}”"}


class Photos(_Upload, Counted):
    """Ids of uploaded pictures, from `min_items` to `max_items`."""

    type: Literal["photos"]

    @property
    def counter(self) -> str:
        return "张"

    def normalize(self, raw: Any) -> Any:
        return self.listed(raw, super().normalize)

    def json_schema(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        return self.list_schema(_ID)
