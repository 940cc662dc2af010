"""``maskwatch feedback``: what people say of requests and of families."""
