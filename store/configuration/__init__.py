"""Where settings come from: groups, keywords, the environment, a TOML file, files of secrets."""
