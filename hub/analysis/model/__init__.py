"""The semantic layer: facts, dimensions and measures, each said once. Source of the figures: domain.md, section 4."""
