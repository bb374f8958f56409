"""What people fill in about numbers and what they ring, a module for each subject."""
