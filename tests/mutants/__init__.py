"""Guards proven by their removal: each is taken away in turn, and a test has to turn red."""
