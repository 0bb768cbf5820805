"""Between this gateway and the hub, over NATS. Every loop may die at any line and go on.

``requests`` asking the hub · ``hello`` connecting · ``uplink`` publishing the outbox ·
``downlink`` receiving rows up to a mark · ``receipts`` what the hub has decided ·
``subscription`` which partitions are wanted · ``seeding`` fetching them whole · ``leases`` roaming
devices · ``verify`` proving equality and repairing · ``replay`` after a hub was restored ·
``blobs_up`` photos · ``commands`` what the hub and the administrator may order · ``renewal`` the
gateway's own certificate · ``upkeep`` forgetting what is old.
"""
