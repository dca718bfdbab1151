"""All blueprints: those under `/api/v1`, and those at the root."""

from miniapp_api import (
    account_applications,
    enterprises,
    files,
    forms,
    health,
    home,
    inspections,
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
)
ROOT = (home.bp, health.bp)
