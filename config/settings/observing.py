"""What is seen of the platform from outside: measures, traces, slow statements, the log."""

from __future__ import annotations

from config.logs import logging_config
from config.settings.environment import env

# Who reads `/metrics` brings this; without one nobody does.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# Where a worker answers `/metrics` itself; 0: nowhere.
METRICS_PORT = env.int("METRICS_PORT", default=0)
METRICS_TENANTS_NAMED = 20  # at most, by each measure that names tenants
# Where traces go, by OTLP over HTTP; without it none are made, and nothing of them is loaded.
TRACES_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
TRACES_SHARE = env.float("TRACES_SHARE", default=1.0)  # of requests and tasks
SLOW_STATEMENT_MS = env.float("SLOW_STATEMENT_MS", default=250.0)
LOGGING = logging_config(env.str("LOG_LEVEL", default="INFO"), as_json=True)
