"""What may be asked over HTTP, and in what form."""
