"""One task for each step that an operator wants to see; each returns a receipt, never a cookie."""
