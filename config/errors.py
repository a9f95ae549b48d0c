"""What stops a command or a part: something that a person has to mend first, or something that is not there yet."""

from __future__ import annotations

TO_MEND, AWAY = 2, 75
"""Exit codes of a command or a part: something has to be mended first, and starting it again is no use; or waiting helps
(EX_TEMPFAIL)."""


class ToMend(Exception):
    """Something has to be mended first, by a person; says what, and what is expected."""


class SettingsError(ToMend):
    """A setting that is missing or wrong; says which one and what is expected, never its value."""


class NotYet(Exception):
    """Something that is needed is not there yet; says what. Waiting helps, or mending it while others wait."""
