"""The hub's signed word is kept. Triggers, which every growth makes anew, also refuse what the wire can't carry."""

STATEMENTS = ("ALTER TABLE fm_device ADD COLUMN hub_proof BLOB NOT NULL DEFAULT x''",)
