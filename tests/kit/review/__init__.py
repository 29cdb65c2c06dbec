"""Reviews for tests."""
