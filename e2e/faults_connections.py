"""Faults of connections."""

FAULTS = []
