"""The background jobs of all rooms."""

from datetime import timedelta

from apiflask import APIFlask

from accounts import sweeping as account_sweeping
from accounts.regions import moves as region_moves
from assets.files import sweeping
from assets.paper import made_pictures, print_jobs
from backups import daily as daily_backup
from composition import history, older_seals
from composition.recountings import recountings
from composition.retention import RULES
from core.deadlines import calendar_years, outage_recounts
from core.deliveries import operations as deliveries
from core.deliveries import telling
from core.deliveries.delivering import channels
from core.gateways.opening import open_mail
from core.jobs import sweeping as key_sweeping
from core.jobs.scheduler import Job, RareJob, Scheduler
from core.long_jobs import operations as long_jobs
from core.retention import running as retention
from enterprise.filings.many import clock_jobs
from enterprise.imports.uploads import staging as uploaded_imports
from feedback import sweeping as rating_sweeping
from feedback.codes import operations as rating_codes
from feedback.follow_ups import recounting as rating_recounting
from feedback.statistics import tallies as rating_tallies
from miniapp_api.http.wiring import KEY, Wiring


def background_jobs(app: APIFlask) -> Scheduler:
    """The scheduler of all background jobs; a job runs in one worker at a time."""
    wiring: Wiring = app.extensions[KEY]
    return Scheduler(
        wiring.database,
        [
            # First, so that no job that takes long puts it off.
            history.sealing(wiring.settings),
            calendar_years.job(),
            # Recounting comes before ringing: a deadline may have moved because a year's holidays are known now.
            Job("rating deadlines", rating_recounting.recounting().run),
            Job("filing deadlines", clock_jobs.recounting(wiring.filings.kinds).run),
            outage_recounts.job(recountings(wiring.filings.kinds)),
            wiring.tries.job(),
            Job("filing clocks", clock_jobs.ring_clocks(wiring.filings).run),
            account_sweeping.hourly(wiring.settings),
            RareJob("rating figures", rating_tallies.fold_everything, every=timedelta(seconds=50)),
            Job("rating codes", rating_codes.expiry().run),
            region_moves.job(),
            rating_sweeping.hourly(wiring.settings),
            sweeping.daily(wiring.uploads.storage, wiring.uploads.incoming, wiring.settings),
            made_pictures.daily(wiring.uploads.storage),
            print_jobs.hourly(wiring.uploads.storage),
            uploaded_imports.daily(wiring.uploads.storage),
            key_sweeping.daily(wiring.settings),
            older_seals.job(),
            long_jobs.daily(),
            deliveries.daily(),
            telling.job(channels(open_mail(wiring.settings))),
            account_sweeping.daily(wiring.settings),
            retention.nightly(wiring.settings, RULES),
            daily_backup.job(wiring.settings),
            history.verifying(wiring.settings),
            history.mailing(wiring.settings),
        ],
        watch=wiring.disk.look,
    )
