"""The toolkit with input and output that every tier uses; no tier's rules stand here.

``bus``, ``bus_pull``   messages over NATS JetStream
``config``              settings from file, environment, flags
``database``            one SQLite file: many readers, one writer
``database_writer``     the thread behind it, with group commit
``extras``              packages that only some settings need
``files``               small files that are whole after a power cut
``grpc_problems``       problems as gRPC statuses and back
``grpc_server``         servers and credentials over mTLS
``health``              what a node says about itself over HTTP
``lifecycle``           orderly ends
``listening``           why a server can't listen
``logs``                JSON lines
``metrics``             figures with a node label
``nats_identity``       who may do what on the bus
``nats_server``         the broker as a supervised child
``storage_problems``    what errors of a database mean to a person
``tasks``               eternal loops, bounded queues
``tls``                 keys and certificates
``translation``         texts for people
"""
