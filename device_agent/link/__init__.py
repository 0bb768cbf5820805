"""The wire, seen from the device: the only package of the agent that knows gRPC and messages.

    messages      what a gateway says, as plain values
    channel       a TLS connection that shows the device's certificate
    stream        one sync session: what is said, in which order, with time-outs on no progress
    gateways      which gateway: measured, nearest first, the next when one fails
    discovery     gateways on the local network
    enrolment     a code becomes a certificate; certificates renew
    blobs         photos and files, resumed at the byte
    carrier_file  batches carried by hand
    wipe_order    an order to erase the device, checked

Nothing here reads or writes the database or files of the device: modes carry values between
link and storage.
"""
