"""A campaign: a company works through generated days as real processes while faults are injected; histories are judged.

    seed ─▶ plan of faults (plan) ─▶ nemesis ─▶ hub, broker, gateways, lines, devices (arena)
    seed ─▶ plan of work (work) ─▶ crews of devices, head office ─▶ histories ─┐
                                              final databases (facts) ─────────┴─▶ checker ─▶ report

`python -m tests.chaos` runs one; `docs/architecture/chaos.md` tells how to run, read and replay it.
"""
