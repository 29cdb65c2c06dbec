"""What knows all domains: it runs jobs, lists them, installs models and says what is there."""
