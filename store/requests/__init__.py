"""Records of requests: appended once, read back; their keys, fingerprints and pictures."""
