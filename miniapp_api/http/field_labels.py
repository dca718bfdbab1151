"""The Chinese names of the fields of typed bodies and queries, with which a refusal names a field.

The fields of a form are named by the form (`core/forms/validation/messages.py`).
"""

LABELS = {
    "active": "是否启用",
    "after": "下一页标记（after）",
    "applicant_name": "姓名",
    "bad": "是否差评",
    "captcha": "图形验证码",
    "captcha_id": "图形验证码编号",
    "channel": "评价渠道",
    "code": "登录码（code）",
    "code_id": "评价码",
    "comment": "意见",
    "conclusion": "检验结论",
    "confirm_duplicate": "确认不是重复填报",
    "confirm_name": "确认企业名称",
    "disposal": "处置情况",
    "disposals": "处置情况",
    "due_on": "期限",
    "field": "字段",
    "from": "起始日期",
    "hand_over_to": "接收人",
    "ids": "所选记录",
    "into": "合并到的词条",
    "kind": "类型",
    "level": "评价等级",
    "licence_no": "许可证编号",
    "matter": "事项",
    "mobile": "手机号",
    "mobile_tail": "手机号后四位",
    "name": "名称",
    "new_password": "新密码",
    "office_id": "机关",
    "old_password": "原密码",
    "open_from": "填报开始日期",
    "open_to": "填报结束日期",
    "operator_name": "操作人姓名",
    "opinion": "审核意见",
    "otp": "动态口令",
    "overdue": "是否逾期",
    "own_office": "只看本级",
    "page": "页码（page）",
    "page_size": "每页条数（page_size）",
    "parent": "上级行政区划",
    "password": "密码",
    "problem": "发现的问题",
    "product_code": "产品",
    "publicity": "公开状态",
    "q": "查询内容",
    "rater_name": "姓名或单位名称",
    "real_name": "是否实名评价",
    "reason": "原因",
    "region": "行政区划",
    "region_code": "行政区划",
    "regulation_type": "监管类型",
    "sampled": "是否抽到样品",
    "sending": "第几次提交（sending）",
    "size": "图片边长（size）",
    "sms_code": "短信验证码",
    "status": "状态",
    "submission_id": "页面编号",
    "suffix": "账号后缀",
    "tags": "评价标签",
    "template_file_id": "模板文件",
    "title": "标题",
    "to": "截止日期",
    "unable": "是否无法进行检查",
    "unit_name": "单位名称",
    "uscc": "统一社会信用代码",
    "visited": "是否已到访",
    "username": "用户名",
    "version": "版本号（version）",
    "year": "年度",
}

CHOSEN = frozenset({
    "disposals", "due_on", "from", "hand_over_to", "ids", "kind", "level", "office_id", "open_from", "open_to",
    "parent", "product_code", "region", "region_code", "regulation_type", "status", "tags", "to", "year",
})  # fmt: skip
"""What is chosen rather than typed."""
UPLOADED = frozenset({"template_file_id"})


def verb_for(name: str) -> str:
    """How a person gives the field."""
    return "选择" if name in CHOSEN else "上传" if name in UPLOADED else "填写"
