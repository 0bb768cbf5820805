"""HTTPS: enrolment of gateways, health, metrics.

server      the server, its TLS, its routes
enrolment   POST /v1/enrol, GET /v1/authority
problems    errors as application/problem+json (RFC 9457)
"""
