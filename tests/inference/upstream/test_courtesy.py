from inference.upstream.courtesy import Courtesy


def test_chunks_are_slowed_down_only_while_answers_pass_and_memory_is_left() -> None:
    now, is_crowded, pauses = 100.0, False, list[float]()
    courtesy = Courtesy(lambda: is_crowded, lambda: now, pauses.append)
    chunks = [b"one", b"two", b"three"]
    assert list(courtesy.slow_down(chunks)) == chunks
    assert pauses == []
    courtesy.note()
    now += 0.01
    assert list(courtesy.slow_down(chunks)) == chunks
    assert len(pauses) == 3
    is_crowded = True
    assert list(courtesy.slow_down(chunks)) == chunks
    assert len(pauses) == 3
    is_crowded = False
    now += 0.02
    assert list(courtesy.slow_down(chunks)) == chunks
    assert len(pauses) == 3
