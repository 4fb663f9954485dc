"""An app of tenants that only tests install: its migrations are written as they are needed."""
