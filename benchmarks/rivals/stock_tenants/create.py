"""`python -m benchmarks.rivals.stock_tenants.create NUMBER…`: tenants by django-tenants' means."""

import sys

import django


def main() -> None:
    django.setup()
    from benchmarks.rivals.stock_tenants.customers.models import Customer, Domain

    for number in sys.argv[1:]:
        customer = Customer(schema_name=f"customer_{number}")
        customer.save(verbosity=0)
        Domain.objects.create(domain=f"tenant-{number}.localhost", tenant=customer, is_primary=True)


if __name__ == "__main__":
    main()
