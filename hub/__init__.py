"""The hub: the one place that decides. Certificate authority, organisation, ingest, relay, journal.

    cli ──▶ app ──▶ web | ingest | relay ──▶ exchange | fleet ──▶ trust ──▶ rules ──▶ storage ──▶
    metrics ──▶ config

Each package may import only those to its right; web, ingest and relay hand work to each other
through storage.
"""
