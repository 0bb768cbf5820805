"""Who is who: certificates, one-time codes, sign-in, and what a gateway may do on the bus.

authority     the certificate authority: issues from a CSR, checks what it issued
files         key files that only their owner can read
enrolment     one-time codes → certificate and everything a new node must know
renewal       a new certificate before the old one ends
revocation    a revoked device: state, serial, signed wipe order
signin        argon2id verifiers of people
totp          codes of the second factor
vault         secrets that stand sealed in the database
bus_identity  operator, account and user of the NATS world, one user per gateway with its own subjects only
bus_servers   configuration, certificates and keys of the servers of a NATS cluster
pace          how often a stranger may try
"""
