"""The gateway over real TLS and real files, with the hub away or played by the test."""
