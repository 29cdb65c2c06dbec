"""What a person changed: compared with the frozen predictions, recorded, summed up."""
