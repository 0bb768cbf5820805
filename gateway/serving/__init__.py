"""What devices meet: sync sessions, downloads, blobs, enrolment.

``server`` ports and services · ``session`` the dialogue · ``stream`` one message at a time ·
``uploads`` checking and storing batches · ``downloads`` deltas (``early``: while batches come up),
``snapshots`` whole databases, ``spool`` their bytes, ``sending`` how they go out ·
``repairs`` ranges that differ · ``roaming`` devices of elsewhere ·
``admission`` who may come in, ``bandwidth`` how fast · ``journal`` a record of each session ·
``blobs`` photos and files · ``enrolment`` certificates · ``carrier`` batches carried by hand.

Nothing here talks to the hub but through calls that ``app`` hands in; what comes from there and
goes there passes through storage.
"""
