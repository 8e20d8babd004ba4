"""What the trail tells as a whole: one table of all events, and the figures drawn from it."""
