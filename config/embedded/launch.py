"""Become another program: no longer root, less urgent if asked, and ended when the parent ends."""

# Run as a script between fork and exec (a preexec function is not safe beside threads), so it
# imports nothing of the project.

import argparse
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

# What launch itself refuses, as opposed to what the launched program says (sysexits: EX_CONFIG).
REFUSED = 78

_PR_SET_PDEATHSIG, _PR_GET_SECUREBITS, _PR_SET_SECUREBITS = 1, 27, 28
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_SECBIT_NO_SETUID_FIXUP = 4
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
        ("rest", ctypes.c_uint32 * 3),
    )


def follow(parent: int, stop: int) -> None:
    """Ask the kernel for the signal `stop` when the parent's thread that started us ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, stop, 0, 0, 0)
    # The parent may have ended before the kernel was asked.
    if os.getppid() != parent:
        os.kill(os.getpid(), stop)


def give_way(niceness: int) -> None:
    """Go behind whoever else wants a processor. Linux weighs whole sessions where it groups them
    (sched(7), autogroup); what we become leads one of its own."""
    os.nice(niceness)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(niceness))


def become(uid: int, gid: int, reach: Sequence[str]) -> None:
    """Drop root for good, keeping only the right to pass through other users' folders."""
    kept = _passing_capabilities() if sys.platform == "linux" else 0
    try:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    except OSError as error:
        _refuse(f"The servers don't run as root, and user {uid} can't be had: {error}.")
    if not (kept and _keep(kept)):
        _refuse_unreachable(uid, reach)


def _passing_capabilities() -> int:
    """Those of the two that we have (Docker grants only the first), held across setuid."""
    libc = ctypes.CDLL(None)
    # Beside holding them, this lets access(2), which initdb asks about its neighbours, count them.
    bits = libc.prctl(_PR_GET_SECUREBITS, 0, 0, 0, 0) | _SECBIT_NO_SETUID_FIXUP
    if libc.prctl(_PR_SET_SECUREBITS, bits, 0, 0, 0) != 0:
        return 0
    sets = _Sets()
    libc.capget(ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), ctypes.byref(sets))
    return int(sets.permitted) & (1 << _CAP_DAC_OVERRIDE | 1 << _CAP_DAC_READ_SEARCH)


def _keep(kept: int) -> bool:
    """Carry the capabilities through exec, where only ambient ones survive for a plain user."""
    libc = ctypes.CDLL(None)
    header = _Header(_CAPABILITY_VERSION_3, 0)
    sets = _Sets(effective=kept, permitted=kept, inheritable=kept)
    done: int = libc.capset(ctypes.byref(header), ctypes.byref(sets))
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        if kept & 1 << capability:
            done |= libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)
    if done != 0:
        libc.capset(ctypes.byref(header), ctypes.byref(_Sets()))
    return done == 0


def _refuse_unreachable(uid: int, reach: Sequence[str]) -> None:
    for path in reach:
        if not os.access(path, os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            _refuse(
                f"Run as root, the servers become user {uid}, who can't reach {path}; set "
                "BULKHEAD_DATA_DIR to a folder open to all users (and keep the project in one), "
                "or run as a plain user."
            )


def _refuse(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    sys.exit(REFUSED)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="launch", description=__doc__)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", type=int, default=int(signal.SIGTERM))
    parser.add_argument("--user", type=int, nargs=2, metavar=("UID", "GID"))
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--reach", action="append", default=[], metavar="PATH")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    return parser.parse_args()


def main() -> None:
    """Do as the arguments say, and turn into the command."""
    order = _arguments()
    command = order.command[1:] if order.command[:1] == ["--"] else order.command
    if order.nice:
        give_way(order.nice)
    if order.user:
        uid, gid = order.user
        become(uid, gid, order.reach)
    # After become(): a change of user clears the wish.
    follow(order.parent, order.signal)
    try:
        os.execvp(command[0], command)  # noqa: S606 - what this program is for
    except OSError as error:
        _refuse(f"{command[0]} can't be run: {error.strerror}.")


if __name__ == "__main__":
    main()
