"""Who may look and who may change something: sign-in, sessions, the signed-in page."""
