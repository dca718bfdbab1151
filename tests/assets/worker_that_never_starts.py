"""A worker of the fork server that hangs before it is ready."""

import signal


def bound_server() -> None:
    signal.pause()
