"""The same application without walls: every query says WHERE tenant_id = … by hand."""
