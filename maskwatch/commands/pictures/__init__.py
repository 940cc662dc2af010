"""The commands that take files of pictures: ``parse`` and ``screen``."""
