"""The whole server at any moment: copies of its files, and its WAL from then on."""
