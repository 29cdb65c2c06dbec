"""The group 'Ice flow'."""
