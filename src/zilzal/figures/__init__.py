"""Pictures of what the stages made, with matplotlib; values in, a Figure out."""
