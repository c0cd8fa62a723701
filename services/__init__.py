"""The services of Jejo: gateway, ingest, analytics and api, and what they share in core."""
