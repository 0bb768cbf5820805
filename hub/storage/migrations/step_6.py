"""`fm_ended_bus_key` is made, as every new table is: this step says that it is missing."""

STATEMENTS: tuple[str, ...] = ()
