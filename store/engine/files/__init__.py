"""Files of this user, whole or not there at all, and the room that a disk has for them."""
