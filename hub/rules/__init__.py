"""What decides, and touches neither disk nor network.

rights         who may write which table, and what may leave their scope
territory      the tree of positions: who is below whom
patches        assignments → sets of positions → patches of outlets and legal parties
subscriptions  facts of the organisation → the partitions of a position
authorship     in whose name a row stands
documents      business rules on what devices upload → refusals with a reason
"""
