"""KPIs and the registry over HTTP. The default answer is no."""
