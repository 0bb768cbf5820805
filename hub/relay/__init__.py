"""What gateways hear, and what they may ask.

publish     outbox → DOWN in LSN order, then the mark; heartbeat when idle
consumers   each gateway's durable consumer on DOWN, filtered to its partitions (promise 6, Scope)
seeds       partitions as files of chunks
requests    rpc.hub.<method>.<gateway>
commands    rpc.gateway.<gateway>.<method>
streams     UP and DOWN themselves
broker      the hub's own broker, or the cluster that it uses
cluster     a cluster as the hub sees it
revocations users of the bus that are out, told to the broker once
"""
