"""What a person judges: picks moved, events relocated, typed, merged, split, and taken back."""
