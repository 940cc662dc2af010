"""The command ``explain``: why a request or a file got its verdict."""
