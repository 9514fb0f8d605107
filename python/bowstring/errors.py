"""The errors that bowstring raises, each naming the argument, its value and the way out."""


class BowstringError(Exception):
    """The base of every error that bowstring raises itself."""


class InvalidInput(BowstringError, ValueError):
    """An argument has the right type and a value that cannot be answered."""


class UnsupportedType(BowstringError, TypeError):
    """An argument, or a column, has a type that the call does not take."""


class CorruptIndex(BowstringError):
    """A file of an index is damaged: truncated, altered, or not what its manifest says."""


class IndexFormatError(BowstringError):
    """A file is not an index of ours, or was written by a newer bowstring."""


class OutOfBudget(BowstringError):
    """The work does not fit the `memory` that it was given."""


class MissingPackage(BowstringError, ImportError):
    """What was asked for needs a package that is not installed."""
