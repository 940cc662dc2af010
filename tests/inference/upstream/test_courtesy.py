from inference.upstream.courtesy import Courtesy


def test_chunks_are_slowed_down_only_while_answers_pass() -> None:
    now, pauses = 100.0, list[float]()
    courtesy = Courtesy(lambda: now, pauses.append)
    chunks = [b"one", b"two", b"three"]
    assert list(courtesy.slow_down(chunks)) == chunks
    assert pauses == []
    courtesy.note()
    now += 0.01
    assert list(courtesy.slow_down(chunks)) == chunks
    assert len(pauses) == 3
    now += 0.02
    assert list(courtesy.slow_down(chunks)) == chunks
    assert len(pauses) == 3
