"""Bytes and rows: column-wise table data, frames, batches, signatures, row hashes. The only kernel part that knows the wire."""
