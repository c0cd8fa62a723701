"""A factory's data quality over HTTP: what of the data that it sent could be used, by day of receipt."""
