"""Documents have an index for their number: people look for its beginning."""

STATEMENTS = (
    "CREATE INDEX debt_doc_by_number ON debt_doc (number)",
    "CREATE INDEX sale_invoice_by_number ON sale_invoice (number)",
    "CREATE INDEX shipment_by_number ON shipment (number)",
    "CREATE INDEX goods_return_by_number ON goods_return (number)",
    "CREATE INDEX payment_by_number ON payment (number)",
    "CREATE INDEX van_load_by_number ON van_load (number)",
    "CREATE INDEX equipment_move_by_number ON equipment_move (number)",
    "CREATE INDEX service_request_by_number ON service_request (number)",
)
