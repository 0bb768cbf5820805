"""Devices, gateways, positions: who holds what, kept true after every change of the organisation.

facts          reads the organisation → facts for `rules.subscriptions`
patch_refresh  assignments → patches of outlets and legal parties
subscriptions  refresh(): patches, subscriptions and gateways' partitions, in the transaction of
the change registry       devices and gateways: add, spare, authorise, revoke
leases         a roaming device's position, at another gateway, for a time
outlets        who serves which outlet
people         users, passwords, where they sign in
posts          who fills which position, who stands in
"""
