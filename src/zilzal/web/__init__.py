"""Pages served from this machine to its own browser."""
