"""Parameters that the algorithms of the group share."""
