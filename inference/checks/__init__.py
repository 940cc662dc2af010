"""Checks: each looks at a request and its content and returns features and findings."""
