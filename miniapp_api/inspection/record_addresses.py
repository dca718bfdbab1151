"""Checks and spot checks share their endpoints: each function is registered under both addresses.

The address decides the record type, which the function receives as its argument `record_type`.
"""

from inspection.kinds import CHECK, SPOT_CHECK

OF_CHECKS = {"record_type": CHECK}
OF_SPOT_CHECKS = {"record_type": SPOT_CHECK}
