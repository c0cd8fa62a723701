"""The errors of Jejo: one base, and one class for each thing that a caller can do about it."""


class JejoError(Exception):
    """Base of every error that Jejo raises on purpose. The message is a sentence that says what to do."""


class ConfigurationError(JejoError):
    """The operator must change a setting, a server or a command line; trying again changes nothing."""


class RecordRefused(JejoError):
    """This input can never be accepted as it is; do not send it again."""


class TransientError(JejoError):
    """Something outside is away or busy; back off and try again."""


class FatalError(JejoError):
    """The process can't trust its own state; it must end and be started again."""
