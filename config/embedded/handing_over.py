"""WAL on its way out of the server: laid down beside it, once somebody keeps it.

In the clear and without any key, for the server has none; whoever has the keys takes it from there.
"""

import shlex
from pathlib import Path

# Never overwritten but by the very same, and on the disk before the server hears that it is. The
# file `keep` is there from the first backup of the platform on; until then nothing is laid down.
# (`sync` of macOS takes no names: it brings everything to the disk.)
_COMMAND = (
    "test ! -e {0}/keep || cmp -s %p {0}/%f || (test ! -e {0}/%f && cp %p {0}/%f.part"
    " && chmod g+r {0}/%f.part && sync {0}/%f.part && mv {0}/%f.part {0}/%f && sync {0})"
)


def command(spool: Path) -> str:
    """For `archive_command`."""
    return _COMMAND.format(shlex.quote(str(spool)).replace("%", "%%"))
