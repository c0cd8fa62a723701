"""Settings of ``jejo verify``."""

from services.core.settings import Settings


class VerifySettings(Settings):
    """What ``jejo verify`` reads the tables as."""

    login = "jejo_verify"
