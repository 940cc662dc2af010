"""How the kinds of files are laid out: what lies where in each of them."""
