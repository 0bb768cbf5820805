"""The five sync modes: one file each, the whole story in one function.

    fast        what waits goes up; acknowledgements and rejects come back
    full        as fast, then what changed comes down
    initialize  what waits goes up, then a snapshot replaces the database
    duplicate   a spare receives a position's whole working set and begins to stand in
    upload      a spare hands over what it made, is locked, and cleared when the hub has it

    run         picks a gateway, tries the next one, waits when told to, runs a mode
    context     what a mode works with       progress   what a person sees meanwhile
    talk        the parts of a session that modes share: upload, hearing, download, ending

Every mode can be cut at any byte and run again, on the same or another gateway: each step is one
transaction of the device, and nothing is kept between steps but what a transaction left.
"""
