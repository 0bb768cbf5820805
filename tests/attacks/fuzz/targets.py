"""All that is fuzzed, by name."""

from types import MappingProxyType

from tests.attacks.fuzz import at_device, at_gateway, at_hub
from tests.attacks.fuzz.pure import PURE
from tests.attacks.fuzz.running import Target

TARGETS: MappingProxyType[str, Target] = MappingProxyType(
    {
        **PURE,
        "session": at_gateway.sessions,
        "carrier_file": at_gateway.carrier_files,
        "batches": at_hub.batches,
        "requests": at_hub.requests,
        "csv": at_hub.csv_files,
        "device": at_device.messages,
    }
)
