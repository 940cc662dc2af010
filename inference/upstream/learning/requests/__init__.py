"""Where the pictures of a request are, in the words of a preset."""
