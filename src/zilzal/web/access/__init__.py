"""Who may do what: accounts, sessions, and the log of what was done."""
