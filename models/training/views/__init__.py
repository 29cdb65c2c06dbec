"""What a network sees of its training data: crops, augmentation, sampling."""
