"""The live driver: records as they come, to picks and events that are revised."""
