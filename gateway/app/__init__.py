"""Putting a gateway together and running it.

``home`` where its files lie · ``building`` every part, made in order · ``running`` loops and ports.
"""
