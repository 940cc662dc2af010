"""What a relay adds to requests, streams and WebSockets, beside nginx."""
