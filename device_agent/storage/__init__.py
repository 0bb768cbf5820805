"""Everything that a device keeps: the only package of the agent that knows SQL and files.

    home      the folder: which file is where, and which database is current
    sealed    AES-GCM under the database key, for files beside the database
    keyring   the database key, wrapped once per person by their password
    attempts  wrong passwords in a row; after many a name rests
    migrations  numbered steps of the agents own tables
    database  one encrypted connection in a thread of its own; read() and write() are its doors
    schema    the agent's own tables, and making or growing a database
    state     the one row that says where this device stands
    outbox    captured changes become signed batches; batches wait for their second tick
    documents where changes may be cut into batches: never inside a document
    ticks     what gateways and the hub have of this device's batches
    epoch     a new device epoch: adopted, and waiting batches re-numbered when fenced
    rows      a download becomes rows, without being captured again
    digests   proof that the rows held are the rows the hub means
    swap      a snapshot replaces the database in one step
    parts     pieces of a download that was cut
    rescue    batches kept aside before something dangerous
    sessions  the device's own journal of sync sessions
    gateways  addresses of gateways and what was measured of them
    photos    files named by their content, waiting to be sent

The way up: work → (triggers) fm_change → outbox.pack → fm_outbox → ticks.  The way down:
rows.apply_delta or swap.replace.  Nothing here opens a socket.
"""
