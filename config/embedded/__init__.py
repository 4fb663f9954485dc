"""Real PostgreSQL and Valkey from wheels, and one supervisor, for development, demo and tests."""
