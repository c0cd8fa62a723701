"""The second implementation of the accounts, and ``jejo verify``, which holds the first one against it."""
