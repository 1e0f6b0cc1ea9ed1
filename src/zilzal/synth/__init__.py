"""Synthetic networks with exact truth: sources, paths, sites, noise, telemetry faults."""
