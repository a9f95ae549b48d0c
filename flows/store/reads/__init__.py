"""What is read from the store, by what it is about."""
