"""The collector of garbage passes over what was there when the first page was shown."""

import gc

from dashboard.lasting_objects import set_lasting_objects_apart


def _is_looked_through(thing: object) -> bool:
    return any(each is thing for each in gc.get_objects())


def test_only_what_comes_later_is_looked_through() -> None:
    before: list[object] = [[]]
    set_lasting_objects_apart.cache_clear()
    set_lasting_objects_apart()
    after: list[object] = [[]]
    assert not _is_looked_through(before)
    assert _is_looked_through(after)


def test_a_second_run_of_a_page_sets_nothing_apart() -> None:
    set_lasting_objects_apart()
    later: list[object] = [[]]
    set_lasting_objects_apart()
    assert _is_looked_through(later)
