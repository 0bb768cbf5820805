"""Pages for people. Each calls the functions of `desk` that the API calls, and fills in a template."""
