"""Several looks at one picture: random transforms, squeezes and overlapping patches."""
