"""Takes pictures out of bodies that go to an upstream, and puts gated ones in their places."""
