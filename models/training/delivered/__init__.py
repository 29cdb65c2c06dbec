"""The maintainers' tool that trains the delivered models."""
