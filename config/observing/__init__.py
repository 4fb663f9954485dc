"""Seeing: what is counted, traced and measured, and where it is read."""
