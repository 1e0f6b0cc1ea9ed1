"""Networks in operation: their specification, the engine that runs them, overlap-add."""
