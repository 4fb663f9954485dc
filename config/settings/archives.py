"""Backups: their keys, where they lie, and how long an instant can be gone back to."""

from __future__ import annotations

from config.settings.environment import env

# 32 bytes each, in hex; the first seals the keys of backups. Only for processes that take or
# restore them: web and the common workers have none.
BACKUP_KEYS = env.list("BACKUP_KEYS", default=[])
# Where archives are kept, such as file:///var/backups/bulkhead or s3://bucket/prefix?region=…;
# empty: in the data folder. Of S3 the log-in is id:secret, or the machine's own if there is none.
BACKUP_STORAGE = env.str("BACKUP_STORAGE", default="")
BACKUP_STORAGE_LOGIN = env.str("BACKUP_STORAGE_LOGIN", default="")
# How many tenants' newest backups are put back each night to try them, in turns.
BACKUPS_TRIED_A_NIGHT = env.int("BACKUPS_TRIED_A_NIGHT", default=200)
# Where the server lays its WAL down for us to seal and store; see docs/disaster-recovery.md.
WAL_SPOOL = env.str("WAL_SPOOL", default="")
# To any instant of so many days the server can be brought back.
PLATFORM_BACKUP_DAYS = env.int("PLATFORM_BACKUP_DAYS", default=14)
# A server that somebody else has brought to an instant, read in place of a scratch server of ours.
DATABASE_CLONE_URL = env.str("DATABASE_CLONE_URL", default="")
# How PostgreSQL's programs are found, and a scratch server is run, without knowing config.
POSTGRES_PROGRAM = "config.embedded.binaries.postgres"
SCRATCH_ROOM = "config.embedded.scratch.room"
SCRATCH_SERVER = "config.embedded.scratch.serving"
