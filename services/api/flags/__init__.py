"""Plausibility flags over HTTP: what looks made up or wrong in what factories sent, and an inspector's word on it."""
