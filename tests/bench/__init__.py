"""Figures of the product on this machine (`make bench`): real processes, TLS and fsync; each checks its result first.

company       the network that is measured, with devices registered directly at the hub
day, visits   a rep's day on a device; a visit of a device without a database
device        initialize.*, fast.*, full.*
round_trips   fast.round_trips, over a line that is far (far_line)
gateway       gateway.sessions_*
storm         gateway.init_storm.*
ingest, lag   hub.ingest*, lag.*
fanout        hub.fanout.*
memory        *.rss
reports       report.*, over a year of documents in a database of its own
crowd         many devices in a process; crowd_line starts and hears it
limits        what nothing on this machine could beat
figures       medians, spreads, doubts
proof         a device holds what head office holds
"""
