"""Every byte that a stranger can send, spoilt in every way that we know.

mutation      messages and bytes → other messages and bytes, by structure and blindly
running       a target is fed until its time is over; what it may never do
pure          decoders, each by itself
at_gateway    a real gateway over real gRPC and TLS, a carrier file
at_hub        ingest, requests over the bus, the enrolment page, CSV files
at_device     what a gateway says to a device, snapshots
targets       all of them by name

`make test` feeds each for a moment with a fixed seed; `make fuzz MINUTES=30` goes on with new seeds, prints what came
of it, and keeps what broke something in build/fuzz.
"""
