"""Which release is installed."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

VERSION: Final = version("mash-pipeline")
"""As the package says, which has it from pyproject.toml: nowhere else is it written down."""
