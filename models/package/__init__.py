"""Model packages: card, weights, registry."""
