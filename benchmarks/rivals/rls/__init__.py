"""django-rls: policies that read a setting, which its middleware sets and clears."""
