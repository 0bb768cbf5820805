"""Which key head office enrolled a device with last, as gateways hear it: certificates of the keys before it end.

A device that enrols anew with another key (a lost disk, new hardware) leaves certificates that hold for a year. The
gateway looks at this word whenever a device comes, so that they open nothing any more; also while head office is away.

Certificates of the same key stay good, whichever the device shows: an answer with a newer one may have been lost. So do
those that were issued later than the word: a head office restored from a backup has forgotten the newest enrolment.
"""

import hashlib
import re
from collections.abc import Sequence

from fieldmesh.service.tls import PeerCertificate, certificate_begins, read_certificate

_DIGITS = 32
_WORD = re.compile(rf"key ([0-9a-f]{{{_DIGITS}}}) since (\d{{1,15}})")
_SECOND_US = 1_000_000


def enrolled_key(certificate: bytes, ended: Sequence[bytes] = ()) -> str:
    """The word about the key of a certificate that was issued just now; at most 64 characters.

    Args:
        certificate: DER.
        ended: certificates of other keys, DER; they count as issued before, whatever the clock said then.
    """
    begins = [certificate_begins(one) // _SECOND_US + 1 for one in ended]
    since = max(certificate_begins(certificate) // _SECOND_US, *begins, 0)
    return f"key {_digest(read_certificate(certificate))} since {since}"


def is_replaced(peer: PeerCertificate, word: str) -> bool:
    """Whether another key was enrolled after the certificate was issued; never where nothing is known of it."""
    found = _WORD.fullmatch(word)
    if found is None or found[1] == _digest(peer):
        return False
    return certificate_begins(peer.der) // _SECOND_US < int(found[2])


def _digest(peer: PeerCertificate) -> str:
    return hashlib.sha256(peer.public_key).hexdigest()[:_DIGITS]
