"""All SQL of the hub: replicated tables, the change path, inbox, outbox, journal, quarantine.

database        read() and write(), the only doors
system_tables   fm_* tables: commit counter, inbox, outbox, digests, removals, journal …
changes         ChangeWriter: everything that changes replicated rows goes through it
partitions      where rows live, worked out in bulk
retention       rows that stay at the hub only
emission        what a transaction tells the world: frames, removals, receipts
inbox           batches decided, waiting, quarantined
early           parts of batches that wait for a row
journal         the hash chain
"""
