"""The second implementation of the accounts, and ``jejo verify``, which compares the first with it."""
