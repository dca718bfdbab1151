"""Time that several steps share: whoever takes longer leaves less to those that come after."""

import math
import time


class Deadline:
    """An instant some seconds from now. Handed from step to step, where limits of their own would add up."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self, most: float = math.inf) -> float:
        """Seconds until then, and no more than `most`; 0 when it is over."""
        return max(0.0, min(most, self._at - time.monotonic()))
