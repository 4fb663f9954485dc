"""The user the servers run as, since PostgreSQL refuses to be root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from config.embedded.errors import EmbeddedError

_NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Account:
    """A user and group, by number."""

    uid: int
    gid: int


def of_server(home: Path) -> Account | None:
    """Whom to become for a server whose files are in home; None to stay who we are."""
    owner = home.stat() if home.exists() else None
    if os.geteuid() != 0:
        if owner and owner.st_uid != os.geteuid():
            raise EmbeddedError(
                f"{home} belongs to another user; run as that user or as root, "
                "or name another folder with BULKHEAD_DATA_DIR."
            )
        return None
    if owner and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    return _unprivileged()


def hand_over(path: Path, account: Account | None) -> None:
    """Give path and all beneath it to the account, unless it has it already."""
    if account is None or path.stat().st_uid == account.uid:
        return
    try:
        for item in (path, *path.rglob("*")):
            os.chown(item, account.uid, account.gid, follow_symlinks=False)
    except OSError as error:
        raise EmbeddedError(
            f"PostgreSQL refuses to be root, and {path} can't be given to user {account.uid} "
            f"({error.strerror}); run as a plain user, or name another folder with "
            "BULKHEAD_DATA_DIR."
        ) from error


def _unprivileged() -> Account:
    """Nobody; else any user of this machine but root: initdb insists on a name for its user."""
    users = {user.pw_uid: user for user in pwd.getpwall() if user.pw_uid != 0}
    chosen = users.get(_NOBODY) or next(iter(users.values()), None)
    if chosen is None:
        raise EmbeddedError(
            "PostgreSQL refuses to run as root, and this machine has no other user."
        )
    return Account(chosen.pw_uid, chosen.pw_gid)
