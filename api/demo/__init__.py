"""The demonstration: hubs' busy days in two minutes, over the real API, with real alerts in a local mail catcher; and stories."""

from mash.api.demo import friday, sibling
from mash.api.demo.play import run_demo

__all__ = ["STORIES", "run_demo"]

STORIES = {"friday": friday.run_story, "sibling": sibling.run_story}
"""What plays a story, by its name: takes whether to print JSON, and returns the exit code."""
