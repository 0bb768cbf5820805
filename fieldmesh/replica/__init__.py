"""Pure rules about rows: partitions, subscriptions, merging, digests, sequences, dependants. No input or output."""
