"""The form engine: forms are data, versioned, compiled once, judged alike on the server and on the phone.

`definition.py` says what a form may contain, `check.py` in which order an answer is judged, `sheet.py` how
a form is written as an Excel sheet.
"""

from core.forms.check import Checked, warnings_of
from core.forms.definition import BrokenForm, Form

__all__ = ["BrokenForm", "Checked", "Form", "warnings_of"]
