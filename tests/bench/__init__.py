"""Figures of the product on this machine (`make bench`): real processes, TLS and fsync; each checks its result first.

company     the network that is measured, with devices registered directly at the hub
device      initialize.*, fast.*, full.*, device.rss
gateway     gateway.sessions_per_second, gateway.init_storm
hub         hub.ingest*, lag.*
limits      what nothing on this machine could beat
"""
