"""The steps of a notice. Who may take them, asks `operations.py`: it depends on the system."""

from core.workflows.workflow import SYSTEM, Step, Workflow
from enterprise.notices.models import Notice

EDITABLE = ("draft", "withdrawn")

NOTICE = Workflow(
    "notice",
    Notice,
    {"draft": "草稿", "published": "已发布", "withdrawn": "已撤回"},
    [
        Step("write", None, "draft", SYSTEM),
        *(Step("edit", status, status, SYSTEM) for status in EDITABLE),
        *(Step("publish", status, "published", SYSTEM) for status in EDITABLE),
        Step("withdraw", "published", "withdrawn", SYSTEM),
    ],
)
