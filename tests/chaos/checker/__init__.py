"""Decides the nine promises from histories and final databases alone: no input or output, none of the product's proofs.

    facts (what the databases hold at rest) ┐
                                            ├─▶ case ─▶ uploads · reading · rest · authority ─▶ violations
    events (what everybody wrote down) ─────┘

Each module answers for some promises with a list of `Violation`s; `judge.judge` asks all of them.
"""
