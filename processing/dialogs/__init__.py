"""The dialogs of the algorithms; loaded only where there is a window."""
