"""Finding people: what was typed, who is found, each by their own name."""
