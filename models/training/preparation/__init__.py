"""From scenes and labels to a training data set, and a look at what came out."""
