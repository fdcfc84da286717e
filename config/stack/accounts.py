"""Who a server runs as when the stack is started by root: PostgreSQL refuses to run as root.

Data that an ordinary user made stays that user's; data that root makes belongs to `nobody`.
"""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Account:
    """An ordinary user to become. `needs_passage`: a folder on the way to the data is closed to that user
    (a clone under /root), so the process keeps the one capability that opens it."""

    uid: int
    gid: int
    needs_passage: bool

    @property
    def launcher_options(self) -> tuple[str, ...]:
        """Options of setpriv that become this account."""
        options = (f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups")
        if self.needs_passage:
            # Without the last, access(2), which PostgreSQL asks about its own files, forgets the capability.
            return (
                *options,
                *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
                "--securebits=+no_setuid_fixup",
            )
        return options


def account_for(folder: Path, *also: Path) -> Account | None:
    """The ordinary account that owns or shall own `folder`, able to reach the paths `also`; None where this
    process is an ordinary user itself."""
    if os.geteuid() != 0:
        return None
    owner = folder.stat().st_uid if folder.exists() else 0
    if owner:
        uid, gid = owner, folder.stat().st_gid
    else:
        nobody = pwd.getpwnam("nobody")
        uid, gid = nobody.pw_uid, nobody.pw_gid
    is_closed = any(
        not _may_pass(parent, uid) for path in (folder, *also) for parent in path.resolve().parents
    )
    return Account(uid=uid, gid=gid, needs_passage=is_closed)


def _may_pass(folder: Path, uid: int) -> bool:
    status = folder.stat()
    return bool(status.st_mode & (0o100 if status.st_uid == uid else 0o001))
