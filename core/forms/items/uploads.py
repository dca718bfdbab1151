"""Items that hold ids of uploads."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from core.forms.items.base import Counted, ItemType

_ID = {"type": "string", "format": "uuid"}


class _Upload(ItemType):
    verb: ClassVar[str] = "上传"
    is_upload: ClassVar[bool] = True
    format_fault: ClassVar[str] = "bad_file"
    sentences: ClassVar[Mapping[str, str]] = {"bad_file": "“{item.text}”中有无效的文件，请重新上传"}

    def normalize(self, raw: Any) -> Any:
        cleaned = self.one_text(raw)
        return cleaned.lower() if type(cleaned) is str else cleaned

    def json_schema(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        return _ID


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
