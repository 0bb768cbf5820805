"""The tables, by area: each one with its columns and its policy beside it."""
