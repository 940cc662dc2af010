"""Takes hostile bytes apart, inside a sandboxed worker: standard library and Pillow only."""
