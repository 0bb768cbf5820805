"""What a person does on a device; works with no network, ever.

    signin     who may open the database, checked offline
    capture    plain SQL, for programs and people; captured like everything else
    numbers    document numbers without gaps, from this device's own prefix
    prices     which price list and which price an outlet gets
    documents  orders, visits, payments, track points: rows as a rep makes them

Functions here take a connection within the caller's write transaction, so a document and its
number, or an order and its lines, are saved whole or not at all.
"""
