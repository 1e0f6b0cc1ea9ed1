"""Event detection on the channels of one sensor."""
