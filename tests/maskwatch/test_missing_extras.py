"""A base install: what needs an extra says in one sentence which to install."""

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from tests.maskwatch.conftest import Run

_OF_M2FP = (
    "The segmenter m2fp needs torch, and this installation is without: "
    "run `pip install 'maskwatch[m2fp]'`."
)
_OF_TRANSFORMERS = (
    "The segmenter transformers needs torch, and this installation is without: "
    "run `pip install 'maskwatch[transformers]'`."
)
_OF_THE_DEMO = (
    "The demo needs torch, and this installation is without: run `pip install 'maskwatch[dev]'`."
)


@pytest.fixture(autouse=True)
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if torch were not installed: nothing finds it, and nothing imports it."""
    monkeypatch.setitem(sys.modules, "torch", None)
    # Found without being imported, which takes seconds; it would need torch anyway.
    monkeypatch.setitem(sys.modules, "transformers", ModuleType("transformers"))
    sys.modules["transformers"].__spec__ = ModuleSpec("transformers", None)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("serve", "--segmenter", "m2fp"), _OF_M2FP),
        (("serve", "--segmenter", "transformers", "--model", "x"), _OF_TRANSFORMERS),
        (("demo", "--once"), _OF_THE_DEMO),
        (("up", "--demo"), _OF_THE_DEMO),
    ],
)
def test_a_command_names_the_extra(maskwatch: Run, words: tuple[str, ...], sentence: str) -> None:
    said = maskwatch(*words)
    assert (said.code, said.err) == (1, f"maskwatch: {sentence}\n")


@pytest.mark.parametrize(
    "words", [("parse", "clean.jpg"), ("model", "learn-baseline", "clean", "--out", "own.json")]
)
def test_a_command_that_builds_the_service_names_the_extra_and_writes_nothing(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MASKWATCH_SEGMENTER", "m2fp")
    said = maskwatch(*words)
    assert said.code == 1
    assert said.err.splitlines()[-1] == f"maskwatch: {_OF_M2FP}"
    assert not (tmp_path / "own.json").exists()


def test_the_doctor_names_the_extra(maskwatch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKWATCH_SEGMENTER", "m2fp")
    said = maskwatch("doctor")
    assert said.code == 1
    assert f"FAIL segmenter: {_OF_M2FP}" in said.out
