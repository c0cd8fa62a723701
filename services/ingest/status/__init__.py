"""How the platform is: what Kafka holds and what ingest and analytics have made of it, read from outside both."""
