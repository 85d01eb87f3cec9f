"""What is kept on disk: the result store, and safe reading of weight files."""
