"""How Fieldmesh is put to work: the demo, service units, alerts."""
