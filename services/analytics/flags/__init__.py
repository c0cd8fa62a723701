"""Plausibility flags: which data look made up or wrong, by the rules of ``schemas/plausibility_rules.json``."""
