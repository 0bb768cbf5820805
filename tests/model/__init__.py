"""The whole network in one process: real stores, sessions and replication; time and transport simulated."""
