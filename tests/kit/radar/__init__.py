"""Radargrams for tests."""
