"""Reads the live catalogue of every schema and says where it differs from what the code says."""
