"""What long jobs (后台任务) there are, and with whose rights they go on."""

from sqlalchemy.orm import Session

from accounts import queries
from accounts.models import User, UserStatus
from core.actor import Actor
from core.db import Database
from core.long_jobs.models import LongJob
from core.long_jobs.running import Runner
from enterprise.filings import steps_for_many
from enterprise.filings.kinds import Filings


def runner(database: Database, engine: Filings) -> Runner:
    """Works on the jobs of all rooms."""
    return Runner(database, {steps_for_many.JOB: steps_for_many.work(engine)}, actor_of)


def actor_of(session: Session, job: LongJob) -> Actor | None:
    """Who asked for the job, with today's office and roles; None for one who is disabled or must change a password."""
    user = session.get(User, job.user_id, populate_existing=True)
    if user is None or user.status != UserStatus.ACTIVE or user.must_change_password:
        return None
    return queries.actor_of(session, job.user_id, job.operator_name, job.session_id)
