"""What people type into the search rows of lists, a module for each subject."""
