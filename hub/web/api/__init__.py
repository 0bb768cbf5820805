"""The web services: every view as a resource, every act as an operation, described by /api/v1/openapi.json."""
