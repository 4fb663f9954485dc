"""What rooms do for others that must not import them: by name, so that no wall is passed."""

from __future__ import annotations

# How the ground floor learns who calls, without knowing accounts.
TENANT_CREDENTIALS = "accounts.tokens.schemes.identify"
TENANT_ENDED_SESSIONS = "accounts.ended.lately"
TENANT_WITNESS = "accounts.support.actions.witness"
TENANT_MISDIRECTED = "accounts.trail.misdirections.of_caller"
TENANT_TRAIL = "accounts.trail.actions.record"
TENANT_OWN_TRAIL = "accounts.audit.actions.record"
# What it takes to make a tenant, and to delete one, in this order: names that are kept with each
# tenant, and what does it, which may happen twice.
TENANT_STEPS = {
    "provision": (
        ("schema", "tenants.lifecycle.making.make_schema"),
        ("first-backup", "backups.steps.take_first"),
        ("open", "tenants.lifecycle.making.open_door"),
        ("owner", "accounts.onboarding.steps.give_to_owner"),
        ("welcome", "accounts.onboarding.steps.send_welcome"),
    ),
    "delete": (
        ("doors", "accounts.departure.steps.shut_doors"),
        ("last-backup", "backups.steps.take_last"),
        ("rows", "tenants.deletion.steps.remove_rows"),
        ("open-orders", "trading.orders.leaving.forget_orders"),
        ("exchanges", "trading.venues.backlog.leave"),
        ("people", "accounts.departure.steps.remove_people"),
        ("traces", "tenants.deletion.steps.remove_traces"),
        ("end", "tenants.deletion.steps.leave_name"),
    ),
}
# What is looked up for `/metrics`: functions of rooms (`config/observing/measure.py`), each with
# the server that it asks, if any: one that is away is waited for once.
MEASURES = {
    "config.observing.servers.disk": "",
    "config.observing.servers.queues": "valkey",
    "config.observing.servers.memory": "valkey",
    "tenants.measures.population": "database",
    "tenants.measures.moves": "database",
    "tenants.measures.workflows": "database",
    "config.observing.heartbeats.seen": "valkey",
    "tenants.measures.busiest": "valkey",
    "backups.measures.standing": "database",
    "backups.measures.server": "valkey",
    "trading.venues.backlog.measure": "valkey",
}
# How the staff's pages learn what the platform stands on, without knowing config.
STAFF_HEALTH = "config.health.report"
# The same for how tenants stand with their backups, by their ids.
STAFF_BACKUPS = "backups.queries.standing_of_each"
# And for how the whole server stands with its copies and its WAL.
STAFF_SERVER_BACKUPS = "backups.platform.standing.seen"
# What an API key may be bound to; rows of other models name it in `account_id`.
ACCOUNT_MODEL = "trading.Account"
# Tasks of a tenant whose work goes on after it was suspended, or whose rows have become others:
# whoever keeps something of them elsewhere, or has to make up for what passed them by.
AFTER_RETURN = ["trading.orders.tasks.catch_up"]
# What a copy of a tenant goes without: two would trade at one exchange, or answer for one another.
BACKUPS_NOT_COPIED = (
    "trading.ExchangeCredential",
    "trading.VenueIntent",
    "trading.IdempotentRequest",
)
