"""The demonstration: hubs' busy days in two minutes, over the real API, with real alerts in a local mail catcher."""

from mash.api.demo.friday import run_story
from mash.api.demo.play import run_demo

__all__ = ["run_demo", "run_story"]
