"""One module a migration; the name begins with its number."""
