"""Whole companies to try the network with: generated ones of any size, and one made from real wholesale orders.

source      what a company gives: rows, parents first, and the day's work of its reps
generated   a made-up company, seeded
iowa        real orders of Iowa's licensed shops: shops, products, prices, orders, with all their dirt
iowa_files, iowa_judging   its three files line by line, and what is asked of each line
frame       the organisation that every sample company has
oddities    what was odd in the real data, line by line
loading     rows into the hub through the change path
"""
