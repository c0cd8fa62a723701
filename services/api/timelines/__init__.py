"""A machine's day over HTTP: what it did when, from its facts."""
