"""Media files: their names, where they go, and the tools that merge them."""
