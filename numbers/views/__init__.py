"""The pages about numbers and what they ring, a module for each subject."""
