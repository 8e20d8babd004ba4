"""Metrics: one table of instruments, pure measuring, and two sinks that are off by default."""
