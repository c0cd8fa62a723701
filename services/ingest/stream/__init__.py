"""The topic in Kafka: its log, how far it has been read, and the records polled from it."""
