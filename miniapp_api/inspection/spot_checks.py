"""Spot checks (监督抽查)."""

from inspection.kinds import SPOT_CHECK
from miniapp_api.inspection.records import record_blueprint

bp = record_blueprint("spot_checks", "spot-checks", SPOT_CHECK)
