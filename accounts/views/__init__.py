"""The pages of accounts and people, a module for each subject."""
