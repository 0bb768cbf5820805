"""Pure rules about rows. No input or output.

partition      the numbers of partitions and the names of patches
subscription   what comes and goes when a subscription changes
merge          last writer of each column, in any order of arrival
digest         sums over row hashes: equal digests = equal rows
watermark      whether it is a batch's turn
quarantine     what depends on a row that was refused
early          what leans on a row that has not come
"""
