"""Backups of tenants: taken, kept, checked and put back."""
