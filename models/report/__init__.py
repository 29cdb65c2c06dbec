"""Pages in HTML and pictures in PNG."""
