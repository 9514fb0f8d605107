"""Indexes and interfaces of other programs."""

from bowstring.interop import infini_gram

__all__ = ["infini_gram"]
