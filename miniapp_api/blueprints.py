"""All blueprints: those under `/api/v1`, and those at the root."""

from miniapp_api import calendar, files, forms, health, home, outages, phone_app
from miniapp_api.accounts import (
    account_applications,
    captchas,
    help,
    me,
    regions,
    second_factor,
    sessions,
    users,
    wechat,
)
from miniapp_api.enterprise import enterprises, filings, licences
from miniapp_api.feedback import (
    public_ratings,
    rating_codes,
    rating_forms,
    rating_numbers,
    rating_pages,
    rating_statistics,
    ratings,
)
from miniapp_api.inspection import (
    correction_requests,
    corrections,
    dictionaries,
    dictionary_keeping,
    disposals,
    outbox_imports,
    products,
    records,
    statistics,
    submissions,
    suggestions,
)

API = (
    sessions.bp,
    wechat.bp,
    me.bp,
    second_factor.bp,
    help.bp,
    calendar.bp,
    outages.bp,
    regions.bp,
    account_applications.bp,
    users.bp,
    products.bp,
    dictionaries.bp,
    dictionary_keeping.bp,
    enterprises.bp,
    forms.bp,
    files.bp,
    submissions.bp,
    corrections.bp,
    disposals.bp,
    outbox_imports.bp,
    records.bp,
    correction_requests.bp,
    statistics.bp,
    suggestions.bp,
    captchas.bp,
    filings.bp,
    licences.bp,
    rating_codes.bp,
    rating_forms.bp,
    rating_numbers.bp,
    ratings.bp,
    public_ratings.bp,
    rating_statistics.bp,
)
ROOT = (home.bp, health.bp, phone_app.bp, rating_pages.bp)
