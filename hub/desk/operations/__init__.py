"""Acts of people by area; `registry` holds them all."""
