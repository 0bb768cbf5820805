"""A company works for a day, on one machine, through the three programs only (`make demo`).

proxy       the line to head office, which can be cut
processes   programs started, asked and ended
network     a hub, gateways and devices in a folder
story       what happens, told in plain words
checks      what must have held, for the closing table
"""
