"""django-rls-tenants: policies that read a setting, and a manager that filters as well."""
