"""The gateway: serves devices near them, keeps a cache of its region, replicates with the hub.

Layers: ``cli`` > ``app`` > ``serving | replication`` > ``trust`` > ``storage`` > ``metrics`` >
``config``. Serving and replication hand work to each other only through committed transactions
in storage, and through the wake-up signals that storage gives after a commit.
"""
