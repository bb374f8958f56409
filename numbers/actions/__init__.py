"""Every change to numbers and what they ring, a module for each subject."""
