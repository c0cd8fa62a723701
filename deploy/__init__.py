"""How Jejo runs: in containers in production, and without containers on one machine."""
