"""What programs ask over HTTP: a noun a module."""
