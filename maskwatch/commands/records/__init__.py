"""The commands ``export`` and ``erase``: records that leave, and records that go."""
