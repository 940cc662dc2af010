"""API keys of clients and sign-in of analysts."""
