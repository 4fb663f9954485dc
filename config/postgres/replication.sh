#!/bin/sh
# Run once, when the database is made: `backup_platform` copies it by the protocol of replication.
set -eu
echo "host replication bulkhead_backup all scram-sha-256" >> "$PGDATA/pg_hba.conf"
