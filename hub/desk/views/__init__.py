"""Every kind of record that people see, said once for each area; `registry` holds them all."""
