"""What an inversion is given, read on its grid and checked."""
