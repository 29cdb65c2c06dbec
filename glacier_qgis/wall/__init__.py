"""What both sides of the wall state in the same words; the standard library only."""
