"""The form engine: forms are data, versioned, compiled once, validated alike on the server and on the phone.

`form.py` says what a form may contain, `items/` what each type of item is, `definitions/` how a definition is read,
`validation/check.py` in which order an answer is validated, `sheet.py` how a form is written as an Excel sheet.
"""

from core.forms.form import BrokenForm, Form
from core.forms.validation.check import Checked, warnings_of

__all__ = ["BrokenForm", "Checked", "Form", "warnings_of"]
