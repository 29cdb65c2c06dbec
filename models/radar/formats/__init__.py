"""Readers of radargrams: each format becomes a `Radargram`, read by ranges of traces."""
