"""What gateways forward becomes rows: consume → verify → order → apply → reject → receipts, many batches a commit.

consume    the loop over UP; nothing is acknowledged before the commit
verify     certificate, signature, content: in a thread
ingest     one transaction for many batches; what makes it fail is put aside
group      the batches of a transaction, in each device's order
apply      rights, scope, rules, conflict policy; rows collected over the group
chain      whether a batch follows the one before it
early      what leans on a row that has not come waits for it
events     takeover, handover
"""
