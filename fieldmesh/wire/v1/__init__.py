"""Generated from protos/ (make protos); never edited."""
