"""Training of segmentation networks: data, augmentation, losses, fitting, evaluation."""
