"""What the server and the child process that compiles a paper agree upon; apart, so that the child loads little."""

from typing import Literal

Form = Literal["pdf", "png", "svg"]

SECONDS = 30
"""After which the child process is killed; most papers need a tenth of one."""
MEMORY = 1024**3
"""Bytes of address space of the child process; a poster takes 250 MiB of it, of which it uses 100."""
DOTS = 200
"""Dots to an inch of a PNG. What needs sharp edges in it keeps to lengths of 72pt / 200."""
REFUSED = 3
"""Exit status of a child process to which a font or a character is missing."""
