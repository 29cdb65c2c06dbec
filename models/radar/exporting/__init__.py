"""From layer lines to depths, accumulation and the files of others."""
