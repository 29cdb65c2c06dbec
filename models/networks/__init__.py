"""Networks: plain torch modules, one file per architecture."""
