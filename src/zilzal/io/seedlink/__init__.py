"""SeedLink: the server that replays, and the client; one module for each part of the protocol."""
