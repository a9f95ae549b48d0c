"""Meetings and strategy discussions: the agenda, the minutes as they are written, the record."""
