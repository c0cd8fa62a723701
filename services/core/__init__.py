"""Shared by all services: settings, database, clock, errors, logging."""
