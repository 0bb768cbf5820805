"""Rows, batches and frames as bytes. The only part of the kernel that knows the wire's messages.

columns        rows column by column, in memory and as TableData
fitting        values that a column can't hold, found per row
extent         how many parts a message would unfold to, before it is unfolded
frames         compressed table data, one by one or as a stream
batch          what a device signs: header and body, encoded once
replication    messages between gateway and hub that storage keeps as bytes
hub_word       what the hub has signed, as a device reads it
row_hash       the hash of each row, from a function made once per table
signature      ECDSA over P-256
snapshot_file  snapshots as they go over the wire
"""
