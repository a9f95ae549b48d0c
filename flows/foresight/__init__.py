"""What may come: a hub's work simulated by its own rules, held against what happened before anybody asks what if."""
