"""The registry over HTTP: enterprises, factories, machines and gateway keys, with their versions in time."""
