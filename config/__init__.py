"""Data and settings: the hubs' profiles, who may do what, and the only reader of the environment."""
