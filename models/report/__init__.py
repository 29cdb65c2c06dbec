"""Reports in HTML and pictures in PNG."""
