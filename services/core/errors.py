"""Jejo's errors: one base class, and one class for each way a caller can respond."""


class JejoError(Exception):
    """Base class of every error that Jejo raises deliberately. The message is a sentence that says what to do."""


class ConfigurationError(JejoError):
    """The operator must change a setting, a server or a command line; retrying does not help."""


class RecordRefused(JejoError):
    """This input is invalid as it is; do not send it again."""


class TransientError(JejoError):
    """An external service is unavailable or busy; back off and retry."""


class FatalError(JejoError):
    """The process can no longer trust its own state; it must exit and be restarted."""
