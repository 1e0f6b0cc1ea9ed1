"""From picks to groups of picks that share a source."""
