"""The parts of an installation as processes, and copies of what they keep."""
