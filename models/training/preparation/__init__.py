"""Preparation and inspection of training data sets from scenes and labels."""
