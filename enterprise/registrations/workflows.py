"""The steps of a registration: taken over by an organisation that is known, or left apart."""

from core.workflows.workflow import APPLICANT, SYSTEM, Step, Workflow
from enterprise.registrations.models import Registered

REGISTERED = Workflow(
    "registration",
    Registered,
    {"new": "待核对", "joined": "已并入", "apart": "单独办理"},
    [
        Step("register", None, "new", APPLICANT),
        # Who may, asks `joining.py`: the organisation's own users, or its bureau.
        *(Step("join", status, "joined", SYSTEM) for status in ("new", "apart")),
        Step("keep_apart", "new", "apart", SYSTEM),
    ],
)
