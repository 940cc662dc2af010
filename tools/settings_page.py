"""``docs/settings.md``: every setting, by group."""

from collections.abc import Iterator

from maskwatch.environment import ALL_SETTINGS, all_groups
from maskwatch.setting_words import default_in_words, meaning_of
from store.configuration.groups import Group, Setting, groups_of, settings_of
from store.configuration.kinds import values_in_words
from store.configuration.names import CONFIG_VARIABLE, FILE_SUFFIX, PREFIX
from store.settings import StoreSettings
from tools.markdown import page, table

_PROCESSES = {
    "ServiceSettings": "the service",
    "ProxySettings": "the proxy",
    "JobSettings": "the jobs",
    "DashboardSettings": "the dashboard",
    "SigningSettings": "`maskwatch model sign`",
}
_COLUMNS = ("Setting", "Variable", "Default", "Values", "Meaning")


def settings_page() -> str:
    """Settings by group, in the order in which processes name them."""
    parts = [
        "A setting has one name. It can be given as an environment variable, or in a TOML file:",
        "each group below is a table there.",
        "",
        "```toml",
        "[gate]",
        "max_pixels = 20_000_000        # or MASKWATCH_MAX_PIXELS=20000000",
        'picture_fields = ["a", "b"]    # or MASKWATCH_PICTURE_FIELDS=a,b',
        "```",
        "",
        f"The file is the one that the variable `{CONFIG_VARIABLE}` or `maskwatch --config FILE`",
        "names; no other file is read. One file serves all processes, and the environment wins",
        "over it. `maskwatch config init` writes one with every setting commented out,",
        "`maskwatch config show` says where each value comes from, `maskwatch config check` names",
        "all problems.",
        "",
        "Instead of a secret, a file can be named that holds it in its only line: with",
        f"`{PREFIX}SMTP_PASSWORD_FILE`, or `smtp_password_file` in the TOML file, and so on.",
        "",
        "Settings are read once, when a process starts. A value that cannot be used stops the",
        "start with the name of its variable or its place in the file, and so does a name that",
        f"begins with `{PREFIX}`, or stands in the file, and is none of these.",
    ]
    for name, group in all_groups().items():
        parts += _section(name, group)
    return page("Settings", parts)


def _section(name: str, group: type[Group]) -> Iterator[str]:
    readers = [cls for cls in ALL_SETTINGS if name in groups_of(cls)]
    yield from ("", f"## `[{name}]`", "")
    yield f"{' '.join((group.__doc__ or '').split())} {_read_by(readers)}"
    yield ""
    settings = [each for each in settings_of(readers[0]).values() if each.group == name]
    yield from table(_COLUMNS, [_row(setting) for setting in settings])


def _read_by(readers: list[type[StoreSettings]]) -> str:
    if len(readers) == len(ALL_SETTINGS):
        return "Every process reads it."
    *names, last = [_PROCESSES[cls.__name__] for cls in readers]
    return f"Read by {', '.join(names)} and {last}." if names else f"Read by {last}."


def _row(setting: Setting) -> tuple[str, ...]:
    file = f", or a path: `{setting.variable}{FILE_SUFFIX.upper()}`" if setting.is_secret else ""
    return (
        f"`{setting.name}`",
        f"`{setting.variable}`",
        default_in_words(setting.field),
        values_in_words(setting.field) + file,
        meaning_of(setting.field),
    )
