"""What long jobs (后台任务) there are, and with whose rights they go on."""

from sqlalchemy.orm import Session

from accounts import deciding_many, queries
from accounts.models import User, UserStatus
from assets.paper import print_jobs
from core.actor import Actor
from core.long_jobs.models import LongJob
from core.long_jobs.running import Runner
from enterprise.filings.many import printing_many as filing_prints
from enterprise.filings.many import steps_for_many
from enterprise.imports.uploads import applying
from enterprise.imports.uploads import staging as uploaded_imports
from enterprise.systems import registers
from feedback.codes import many as many_codes
from inspection.printing import printing_many as record_prints
from miniapp_api.http.wiring import Wiring


def runner(wiring: Wiring) -> Runner:
    """Works on the jobs of all rooms."""
    public_url, storage = wiring.settings.resolved_public_url, wiring.uploads.storage
    records = record_prints.preparing(wiring.forms, public_url)
    filings = filing_prints.preparing(wiring.filings, public_url)
    return Runner(
        wiring.database,
        {
            steps_for_many.JOB: steps_for_many.work(wiring.filings),
            record_prints.JOB: print_jobs.batch(records, wiring.press.pdfs, storage),
            filing_prints.JOB: print_jobs.batch(filings, wiring.press.pdfs, storage),
            deciding_many.JOB: deciding_many.work,
            many_codes.MAKE: many_codes.make,
            many_codes.DISABLE: many_codes.disable,
            many_codes.PRINT: many_codes.printing(
                wiring.pictures, storage, lambda code: f"{public_url}/r/{code.token}" if code.token else None
            ),
            uploaded_imports.JOB: applying.batch(wiring.database, storage, registers(wiring.database, wiring.filings)),
        },
        actor_of,
    )


def actor_of(session: Session, job: LongJob) -> Actor | None:
    """Who asked for the job, with today's office and roles; None for one who is disabled or must change a password."""
    user = session.get(User, job.user_id, populate_existing=True)
    if user is None or user.status != UserStatus.ACTIVE or user.must_change_password:
        return None
    return queries.actor_of(session, job.user_id, job.operator_name, job.session_id)
