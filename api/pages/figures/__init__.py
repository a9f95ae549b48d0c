"""Managers' figures: reckoned, told from chance, worded, drawn."""
