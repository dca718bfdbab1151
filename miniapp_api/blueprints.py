"""All blueprints: those under `/api/v1`, and those at the root."""

from miniapp_api import (
    account_applications,
    captchas,
    enterprises,
    files,
    filings,
    forms,
    health,
    home,
    inspections,
    licences,
    me,
    products,
    regions,
    sessions,
    spot_checks,
    statistics,
    users,
)

API = (
    sessions.bp,
    me.bp,
    regions.bp,
    account_applications.bp,
    users.bp,
    products.bp,
    enterprises.bp,
    forms.bp,
    files.bp,
    inspections.bp,
    spot_checks.bp,
    statistics.bp,
    captchas.bp,
    filings.bp,
    licences.bp,
)
ROOT = (home.bp, health.bp)
