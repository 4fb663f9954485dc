"""What the environment says of this installation: its secrets, its address, its folder."""

from __future__ import annotations

from pathlib import Path

import environ

env = environ.FileAwareEnv()
BASE_DIR = Path(__file__).resolve().parents[2]

# Rotate by moving the old one to the fallbacks: what it signed stays good until it runs out.
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# 32 bytes or more, in hex; the database holds what verifies it (see tenants/tickets.py).
TENANT_TICKET_SECRET = bytes.fromhex(env.str("TENANT_TICKET_SECRET"))
# 32 bytes each, in hex; the first seals. Without any, keys are derived from the secret keys.
SEALING_KEYS = env.list("SEALING_KEYS", default=[])

BULKHEAD_BASE_DOMAIN = env.str("BULKHEAD_BASE_DOMAIN", default="localhost")
# What people open the platform with: scheme, host, and a port that is not the scheme's own.
BULKHEAD_ORIGIN = env.str("BULKHEAD_ORIGIN", default="") or f"https://{BULKHEAD_BASE_DOMAIN}"
BULKHEAD_DATA_DIR = Path(env.str("BULKHEAD_DATA_DIR", default=str(BASE_DIR / ".data")))
