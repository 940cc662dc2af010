"""The commands ``maskwatch decisions``: the blocks and allows that hold."""
