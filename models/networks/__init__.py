"""Networks: plain torch modules, one file an architecture."""
