"""The steps of a registration: taken over by an organisation that is known, or left apart; a new query code."""

from core.workflows.witnesses import Witness
from core.workflows.workflow import APPLICANT, SYSTEM, Step, Workflow
from enterprise.registrations.models import Registered

LEADS = Witness("standing", ("id", "query_code_hash", "filing_id", "user_id", "applicant_id", "code", "status"))
"""What says where a query code leads: nobody reaches another filing by writing into the table unnoticed."""

DECISIONS = ("join", "keep_apart")
_STATUSES = {"new": "待核对", "joined": "已并入", "apart": "单独办理"}

REGISTERED = Workflow(
    "registration",
    Registered,
    _STATUSES,
    [
        Step("register", None, "new", APPLICANT),
        # Who may, asks `joining.py`: the organisation's own users, or its bureau.
        *(Step("join", status, "joined", SYSTEM) for status in ("new", "apart")),
        Step("keep_apart", "new", "apart", SYSTEM),
        *(Step("renew_code", status, status, SYSTEM) for status in _STATUSES),
    ],
    witness=LEADS,
)
