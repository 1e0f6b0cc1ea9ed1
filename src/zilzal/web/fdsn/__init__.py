"""FDSN web services: one module a service."""
