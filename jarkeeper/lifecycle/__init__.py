"""A session's life, from its first import to its end."""
