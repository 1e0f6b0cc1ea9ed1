"""The JSON API under the console: one module a resource; it translates, and decides nothing."""
