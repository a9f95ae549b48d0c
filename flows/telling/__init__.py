"""A case told to people: its story, a walk through a hub's rules, the answer to a subject access request."""
