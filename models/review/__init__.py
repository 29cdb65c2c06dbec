"""The loop: what a person should look at, what was corrected, and what follows from it."""
