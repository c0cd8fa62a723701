"""The programme's targets over HTTP: what was planned, and what the registry says was reached."""
