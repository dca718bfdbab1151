"""Items of text that has one written form and can be checked by itself: numbers, addresses, codes."""

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, ClassVar, Literal

from core import identifiers, text
from core.forms.items.base import ItemType, SubmissionFault


def half_width(typed: str) -> str:
    """One line with half-width characters (NFKC)."""
    return text.clean_line(unicodedata.normalize("NFKC", text.clean(typed)))


class Identity(ItemType):
    """Parent of these types: the written form, and whether it is genuine."""

    def normalize(self, raw: Any) -> Any:
        cleaned = self.one_text(raw)
        return (self.written_form(cleaned) or None) if type(cleaned) is str else cleaned

    def written_form(self, typed: str) -> str:
        """The one form in which the text is stored."""
        return half_width(typed)

    def is_genuine(self, value: str, today: date) -> bool:
        """Whether the check digits and the like are right."""
        return True

    @property
    def has_submission_rules(self) -> bool:
        return True

    def submission_faults(self, value: Any, today: date) -> Iterator[SubmissionFault]:
        if not self.is_genuine(value, today):
            yield SubmissionFault(f"bad_{self.type}")


class Mobile(Identity):
    """A mobile number."""

    type: Literal["mobile"]
    personal: ClassVar[bool] = True
    sealable: ClassVar[bool] = True
    sentences: ClassVar[Mapping[str, str]] = {"bad_mobile": "“{item.text}”不是有效的手机号码，请核对"}

    def written_form(self, typed: str) -> str:
        return identifiers.normalise_mobile(typed)

    def is_genuine(self, value: str, today: date) -> bool:
        return identifiers.is_mobile(value)


class Tel(Identity):
    """A mobile or landline number."""

    type: Literal["tel"]
    sealable: ClassVar[bool] = True
    sentences: ClassVar[Mapping[str, str]] = {"bad_tel": "“{item.text}”不是有效的手机或固定电话号码，请核对"}

    def written_form(self, typed: str) -> str:
        mobile = identifiers.normalise_mobile(typed)
        return mobile if identifiers.is_mobile(mobile) else text.fold(typed)

    def is_genuine(self, value: str, today: date) -> bool:
        return identifiers.is_mobile(value) or identifiers.is_landline(value)


class ResidentId(Identity):
    """The number of a resident identity card (公民身份号码)."""

    type: Literal["resident_id"]
    personal: ClassVar[bool] = True
    sealable: ClassVar[bool] = True
    sentences: ClassVar[Mapping[str, str]] = {"bad_resident_id": "“{item.text}”不是有效的公民身份号码，请核对"}

    def written_form(self, typed: str) -> str:
        return identifiers.normalise_resident_id(typed)

    def is_genuine(self, value: str, today: date) -> bool:
        return identifiers.is_resident_id(value, today=today)


class Uscc(Identity):
    """A unified social credit code (统一社会信用代码)."""

    type: Literal["uscc"]

    def written_form(self, typed: str) -> str:
        return identifiers.normalise_uscc(typed)

    def submission_faults(self, value: Any, today: date) -> Iterator[SubmissionFault]:
        if sentence := identifiers.uscc_fault(value):
            reason = sentence.removeprefix("统一社会信用代码不正确：")
            yield SubmissionFault("bad_uscc", sentence=f"“{self.text}”不正确：{reason}")


class Email(Identity):
    """An e-mail address."""

    type: Literal["email"]
    sealable: ClassVar[bool] = True
    sentences: ClassVar[Mapping[str, str]] = {"bad_email": "“{item.text}”不是有效的电子邮箱地址，请核对"}

    @property
    def longest(self) -> int:
        return 100

    def is_genuine(self, value: str, today: date) -> bool:
        return identifiers.is_email(value)


class Region(Identity):
    """A code of a region (行政区划), six digits."""

    type: Literal["region"]
    verb: ClassVar[str] = "选择"
    comparable: ClassVar[bool] = True
    format_fault: ClassVar[str] = "bad_region"
    sentences: ClassVar[Mapping[str, str]] = {"bad_region": "“{item.text}”须为6位行政区划代码，请重新选择"}

    def json_schema(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{6}$"}

    @property
    def has_submission_rules(self) -> bool:
        return False
