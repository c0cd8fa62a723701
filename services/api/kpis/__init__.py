"""KPIs over HTTP: sums of the accounts over a scope and a window, divided once."""
