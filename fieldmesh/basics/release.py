"""Which release this is: said in sessions and hellos, and written into every database."""

RELEASE = "0.1.0"
"""The version of pyproject.toml."""
