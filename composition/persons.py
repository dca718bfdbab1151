"""The personal data (个人信息) that all rooms hold, and the columns that only look as if they held some."""

from accounts import persons as accounts
from assets.files import persons as files
from core.persons import own as core
from core.persons.holdings import Holdings
from enterprise import persons as register
from enterprise.certificates import persons as certificates
from enterprise.filings import persons as filings
from enterprise.production import persons as production
from enterprise.registrations import persons as registrations
from feedback import persons as feedback
from inspection import persons as inspection
from inspection.enforcement import persons as enforcement

HOLDINGS = Holdings(
    accounts.HOLDINGS, feedback.HOLDINGS, inspection.HOLDINGS, enforcement.HOLDINGS, filings.HOLDINGS,
    production.HOLDINGS, registrations.HOLDINGS, certificates.HOLDINGS, register.HOLDINGS, files.HOLDINGS,
    core.HOLDINGS,
)  # fmt: skip

_WORDS = "words of an office or a dictionary, of no person"
_NOTICE = "what an office publishes to everybody"
_REGIONS = "codes or names of regions"
_FIGURES = "a matter that is rated; no person"
_IDS = "ids of files and names of documents; the files stand in `files`"

NOT_PERSONAL = {
    "access_log.office_name": "an office",
    "campaigns.name": _WORDS,
    "campaigns.product_codes": "codes of products",
    "catalogue_entries.detail": _WORDS,
    "catalogue_entries.folded_name": _WORDS,
    "catalogue_entries.name": _WORDS,
    "certificate_counters.name": "the name of a counter in a declaration",
    "certificates.number": "a number of a series",
    "clocks.name": "the name of a time limit in a declaration",
    "clocks.outage_reason": "why an outage moved a deadline, for everybody",
    "correction_requests.confirmed": "names of confirmations",
    "counter_draws.name": "the name of a counter in a declaration",
    "delegations.matters": "business types",
    "deliveries.error": "why a message could not be handed over; names no recipient",
    "dictionary_entries.folded_name": _WORDS,
    "dictionary_entries.former_types": "regulation types and days",
    "dictionary_entries.name": _WORDS,
    "enforcement_papers.number": "the number of a paper",
    "enforcement_papers.office_name": "an office",
    "enterprises.product_codes": "codes of products",
    "files.preview_key": "a random name in the storage",
    "files.stored_key": "a random name in the storage",
    "files.thumbnail_key": "a random name in the storage",
    "filing_claims.key": "a keyed hash, which goes with the claim when the filing ends",
    "filing_claims.name": "the name of a claim in a declaration",
    "filing_steps.action": "the name of a step in a declaration",
    "filing_steps.by_code": "a post or party in a declaration",
    "filing_steps.documents": _IDS,
    "filing_steps.office_name": "an office",
    "filing_versions.documents": _IDS,
    "filings.due_clock": "the name of a time limit in a declaration",
    "filings.documents": _IDS,
    "filings.number": "a number of a series",
    "filings.open_key": "kind and id of what a filing is about",
    "filings.outage_reason": "why an outage moved a deadline, for everybody",
    "filings.title": "the kind of filing, with a licence number or a topic of an office",
    "filings.title_region": _REGIONS,
    "form_versions.definition": "a published form without answers",
    "history_seals.absent": "ids of rows",
    "history_seals.bare": "ids of rows",
    "history_seals.late": "ids of rows",
    "imports.sheet": "the name of a sheet",
    "inspections.kept_warnings": "warnings of the server about the enterprise and its dates",
    "inspections.office_name": "an office",
    "inspections.sheet_key": "the number of a sampling sheet",
    "job_rows.reason": "the sentence of a problem",
    "installation_keys.secret_id": "a key of the installation",
    "installation_keys.wrapped": "a key of the installation, wrapped",
    "leases.name": "the name of a background job",
    "licences.imported": "what a public register of licences says of an enterprise",
    "licences.product_detail": "what an enterprise is licensed to make",
    "mail_links.token_hash": "a hash of a random token",
    "notices.files": _IDS,
    "notices.folded_title": _NOTICE,
    "notices.text": _NOTICE,
    "notices.title": _NOTICE,
    "number_series.series": "the kind of filing or certificate that is numbered",
    "number_series.stem": "what the numbers of a series have in common",
    "offices.absorbed": "ids of offices",
    "offices.areas": _REGIONS,
    "offices.arriving": _REGIONS,
    "offices.name": "an office",
    "outages.reason": "why the system was out of order, for everybody",
    "outbox_keys.identity": "a key of the installation to which phones encrypt; of no person",
    "product_types.regulation_types": "regulation types",
    "retention_runs.counts": "numbers of rows",
    "rating_codes.folded_matter": _FIGURES,
    "rating_codes.matter_name": _FIGURES,
    "rating_codes.org_name": "an office or an enterprise",
    "rating_deltas.matter": _FIGURES,
    "rating_deltas.tags": "numbers of tags",
    "rating_follow_ups.appeal_evidence": _IDS,
    "rating_tag_tallies.matter": _FIGURES,
    "rating_tallies.matter": _FIGURES,
    "ratings.outage_reason": "why an outage moved a deadline, for everybody",
    "ratings.tags": "numbers of tags",
    "registrations.applicant": "whether an organisation or a person registered",
    "registrations.query_code_hash": "a hash of a random code; it opens the filing",
    "registrations.spare_code_hash": "a hash of a random code; it opens the filing",
    "regions.name": _REGIONS,
    "reorganisations.name": _REGIONS,
    "reorganisations.new_chain": _REGIONS,
    "reorganisations.note": "why regions were reorganised, by the administrator of the installation",
    "reorganisations.old_chain": _REGIONS,
    "self_check_topics.title": _WORDS,
    "sessions.token_hash": "a hash of a random token; goes with its session",
    "supervision_checks.office_name": "an office",
    "support_groups.name": "a group of a province",
    "todos.outage_reason": "why an outage moved a deadline, for everybody",
    "users.password_hash": "a hash of a password; changed and verified with the account, which is disabled before",
    "users.roles": "roles",
}
"""Columns that only look as if they were personal, each with why they are not."""
