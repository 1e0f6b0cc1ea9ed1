"""What kind of event it was, if any."""
