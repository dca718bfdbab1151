"""The Chinese sentence for each fault of an answer. Codes are stable; the phone knows the same ones."""

from core.errors import Fault
from core.forms.items import Item

_CHOSEN = {"boolean", "choice", "multi", "disposal", "date", "region"}
_UPLOADED = {"photos", "file"}

_SENTENCES = {
    "wrong_type": "“{text}”的内容类型不正确，请重新{verb}",
    "unknown_option": "“{text}”的选项不存在，请重新选择",
    "too_long": "“{text}”不能超过{max_length}个字，请缩短后重试",
    "too_many": "“{text}”最多{max_items}项，请删减后重试",
    "too_few": "“{text}”至少需要{min_items}项，请补充",
    "duplicate": "“{text}”中有重复的内容，请删除重复项",
    "meaningless": "“{text}”只有标点或符号，请用文字写明",
    "bad_date": "“{text}”不是有效的日期，请按“2026-11-20”的形式填写",
    "future_date": "“{text}”不能晚于今天，请核对",
    "bad_number": "“{text}”须为数字，请重新填写",
    "too_precise": "“{text}”最多保留{scale}位小数，请重新填写",
    "out_of_range": "“{text}”的整数部分不能超过15位，请核对",
    "too_small": "“{text}”不能小于{minimum}，请核对",
    "bad_mobile": "“{text}”不是有效的手机号码，请核对",
    "bad_tel": "“{text}”不是有效的手机或固定电话号码，请核对",
    "bad_resident_id": "“{text}”不是有效的公民身份号码，请核对",
    "bad_email": "“{text}”不是有效的电子邮箱地址，请核对",
    "bad_region": "“{text}”须为6位行政区划代码，请重新选择",
    "bad_file": "“{text}”中有无效的文件，请重新上传",
    "disposal_without_problem": "未发现问题，“{text}”不能填“是”或“办理中”，请改为“不适用”或核对检查结果",
}

UNKNOWN_ITEM = "填报内容中有本表单没有的项，请删除该项，或更新小程序后重试"
ALL_NOT_APPLICABLE = "检查发现了问题，但各处置项均填“不适用”，请确认无需处置"
NOT_AN_OBJECT = "填报内容的格式不正确，请更新小程序后重试"


_TOO_MANY_PHOTOS = "“{text}”最多{max_items}张，请删减后重试"


def answer_fault(item: Item, code: str, at: str, sentence: str | None = None) -> Fault:
    """A fault of one item; `sentence` takes the place of the standard one."""
    return Fault(at, code, sentence or _sentence(item, code))


def _sentence(item: Item, code: str) -> str:
    verb = "选择" if item.type in _CHOSEN else "上传" if item.type in _UPLOADED else "填写"
    if code == "required":
        return f"请完成“{item.text}”" if item.type == "signature" else f"请{verb}“{item.text}”"
    if code == "bad_format":
        return str(item.raw.get("pattern_message") or f"“{item.text}”的格式不正确，请核对后重新填写")
    sentence = _TOO_MANY_PHOTOS if (item.type, code) == ("photos", "too_many") else _SENTENCES[code]
    return sentence.format(
        text=item.text,
        verb=verb,
        max_length=item.max_length,
        max_items=item.max_items,
        min_items=item.min_items,
        scale=item.scale,
        minimum=item.minimum,
    )
