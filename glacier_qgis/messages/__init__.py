"""What a run says, and how a person reads it."""
