"""How the web server is started, on a developer's machine, in tests and in the image alike."""

# A message of `tenants.sockets` has 16,384 characters at most, of up to four bytes each.
_LONGEST_MESSAGE = 65_536  # bytes
UVICORN = (
    "uvicorn",
    "config.asgi:application",
    "--no-proxy-headers",  # how many proxies are believed is a setting of ours (TRUSTED_PROXIES)
    "--no-server-header",
    "--ws-max-size",
    str(_LONGEST_MESSAGE),
)
