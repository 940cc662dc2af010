"""Pieces of pages that views put together."""

from dashboard.show import markup


def test_names_between_backticks_are_set_as_code_and_nothing_is_trusted() -> None:
    said = markup.prose("`face_hidden` fires on <b>1 %</b>; start `maskwatch jobs`")
    assert said == (
        f"{markup.code('face_hidden')} fires on &lt;b&gt;1 %&lt;/b&gt;; start "
        f"{markup.code('maskwatch jobs')}"
    )
