"""All SQL of the gateway, and the only doors to its database.

``schema`` the system tables · ``database`` opening and migrating · ``signals`` wake-ups after a
commit · ``inbox`` what devices brought · ``outbox`` what goes to the hub · ``provisional`` rows
that the hub has not applied yet · ``cache`` rows from the hub · ``cursors`` where the gateway
stands · ``partitions`` what it holds and wants · ``devices`` what it knows of each device ·
``sessions`` its journal · ``digests`` proofs of equality · ``deltas`` and ``snapshots`` what goes
down to devices · ``downloads`` and ``blobs`` what lies in files · ``blob_files`` the files of photos.

Every function takes an open connection and runs inside the transaction of its caller
(``database.read`` or ``database.write``): what one transaction says is visible whole or not at all.
"""
