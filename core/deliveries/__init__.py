"""Deliveries (投递): messages to the outside world, written in the transaction of what caused them, sent afterwards.

    models.py       the table
    operations.py   enqueue a message, send a dead one again, sweep
    delivering.py   hand over what is due; the thread of the server that does it
    telling.py      what the administrators are told
    commands.py     ./manage deliveries

A message is handed over at least once: a process that dies between the hand-over and its note hands it over again, with
the same `Message-ID`. What fails is tried again after ever longer rests; what failed too often, was refused for good or
is out of date is *dead*: an administrator sees it and can send it again. A channel that is not configured keeps its
messages.
"""
