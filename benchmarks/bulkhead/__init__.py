"""Bulkhead as it is, with one route more."""
