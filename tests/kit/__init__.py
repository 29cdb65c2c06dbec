"""What tests are built from; each folder says in which Python it works."""
