"""System checks; filled below."""
