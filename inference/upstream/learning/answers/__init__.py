"""Which formats an answer can be read by; one module for each family of them."""
