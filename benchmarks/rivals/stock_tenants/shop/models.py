"""Orders, in each tenant's schema."""

from benchmarks.rivals.shape import AccountShape, OrderShape, indexes


class Account(AccountShape):
    pass


class Order(OrderShape):
    class Meta:
        indexes = indexes()
