"""The telemetry wire: what a record may say, and how it is read, written, signed and described."""
