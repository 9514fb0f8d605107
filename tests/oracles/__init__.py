"""Slow and obvious answers to compare the library's with."""
