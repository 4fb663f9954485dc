"""django-tenants as it comes: a schema per tenant, found by the request's host."""
