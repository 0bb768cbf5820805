"""Part of the kernel that all tiers share."""
