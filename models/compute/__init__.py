"""Devices, precision, memory, threads and processes."""
