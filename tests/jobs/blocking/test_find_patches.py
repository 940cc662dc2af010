"""The job that lists prints: real kept pictures in, a decision out, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.random import default_rng
from sqlalchemy import select

from detectors.findings import Place
from detectors.parsing import Image
from detectors.patches.patch_choice import choose_patches
from detectors.patches.patch_match import MIN_ORDINARY, PatchMatcher
from detectors.rule_book import TRIGGER_SUSPECTED
from jobs.blocking.find_patches import run
from jobs.blocking.picture_views import cut_out, read_image
from jobs.blocking.suspects import NothingToCompare
from jobs.context import JobContext
from store.decisions.decisions import revoke
from store.decisions.pictures.listed_patches import patch_of
from store.decisions.scopes import Scope
from store.pages.audit_views import AuditFilter, audit_entries
from store.requests.kept_pictures import KeptPicture
from store.requests.picture_store import PictureStore
from store.tables.work_tables import DecisionRow
from tests.detectors.patch_pictures import cloth, printed, printed_at
from tests.jobs.blocking.kept import Sent, choose_once, keep_pictures

SIDE = 250
MIDDLE = Place(75, 75, 175, 175)
Send = Callable[..., list[str]]
CHOOSE = choose_once(choose_patches)


@pytest.fixture(autouse=True)
def search_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search is long, and both databases hold the same pictures."""
    monkeypatch.setattr("jobs.blocking.find_patches.choose_patches", CHOOSE)


@pytest.fixture
def send(context: JobContext) -> Send:
    """Stores requests with their kept pictures; gives their ids."""

    def sent(*pictures: Sent) -> list[str]:
        return keep_pictures(context, TRIGGER_SUSPECTED, (SIDE, SIDE), pictures)

    return sent


@pytest.fixture
def ordinary(send: Send) -> None:
    send(*ordinary_pictures())


@cache
def ordinary_pictures() -> tuple[Sent, ...]:
    """Plain cloth of as many clients as it takes."""
    return tuple(
        Sent(webp_of(cloth(default_rng(500 + number), SIDE)), f"ip:192.0.2.{number}")
        for number in range(MIN_ORDINARY)
    )


def send_prints(send: Send, seeds: range) -> set[str]:
    """Flagged pictures of two clients with one print; their ids."""
    pictures = ((seed, *printed_at(seed, SIDE)) for seed in seeds)
    return set(
        send(
            *(
                Sent(webp_of(image), f"ip:198.51.100.{seed % 2}", place)
                for seed, image, place in pictures
            )
        )
    )


def webp_of(image: Image) -> bytes:
    return bytes(cv2.imencode(".webp", image[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 80])[1])


def decisions(context: JobContext) -> list[DecisionRow]:
    with context.database.read() as session:
        return list(session.scalars(select(DecisionRow).order_by(DecisionRow.id)))


@pytest.mark.usefixtures("ordinary")
def test_a_print_that_recurs_is_listed_once(context: JobContext, send: Send) -> None:
    ids = send_prints(send, range(4))
    assert run(context).sentence == "Blocked 1 patch."
    [decision] = decisions(context)
    assert decision.scope == Scope.PATCH
    assert not decision.simulated
    assert decision.until == context.now + timedelta(days=30)
    assert "of 2 clients show it; ordinary pictures do not." in decision.reason
    assert set(decision.evidence["request_ids"]) <= ids
    patch, limit = patch_of(decision.evidence)
    assert decision.value == patch.digest
    matcher = PatchMatcher(patch)
    assert matcher.look(printed(77, SIDE)).correlation >= limit
    assert matcher.look(cloth(default_rng(9), SIDE)).correlation < limit
    [line] = audit_entries(context.database, AuditFilter())
    assert (line.actor, line.action) == ("job:find_patches", "decision_made")
    assert line.details["scope"] == "patch"
    # The pictures are explained now.
    with pytest.raises(NothingToCompare, match="too few flagged pictures are unexplained"):
        run(context)


@pytest.mark.usefixtures("ordinary")
def test_a_simulated_one_that_a_person_revoked_is_not_listed_again(
    context: JobContext, send: Send
) -> None:
    settings = context.settings.model_copy(update={"simulate_blocks": True, "patch_block_days": 3})
    context = replace(context, settings=settings)
    send_prints(send, range(4))
    assert run(context).sentence.startswith("Would block 1 patch (simulated")
    [decision] = decisions(context)
    assert decision.simulated
    assert decision.until == context.now + timedelta(days=3)
    with context.database.write() as session:
        revoke(session, decision.id, "ada", "The shop's own print.", context.now)
    with pytest.raises(NothingToCompare):
        run(replace(context, now=context.now + timedelta(days=4)))
    assert len(decisions(context)) == 1


@pytest.mark.usefixtures("ordinary")
def test_plain_flagged_pictures_list_nothing(context: JobContext, send: Send) -> None:
    plain = [webp_of(cloth(default_rng(seed), SIDE)) for seed in range(4)]
    send(*(Sent(file, "ip:198.51.100.1", MIDDLE) for file in plain))
    assert run(context).sentence == "No patch recurs that ordinary pictures do not show."
    assert decisions(context) == []


def test_a_fashion_that_ordinary_pictures_show_is_not_listed(
    context: JobContext, send: Send
) -> None:
    fashion = [webp_of(printed(300 + number, SIDE)) for number in range(MIN_ORDINARY)]
    send(*(Sent(file, f"ip:192.0.2.{number}") for number, file in enumerate(fashion)))
    send_prints(send, range(4))
    assert run(context).rows == 0


@pytest.mark.usefixtures("ordinary")
def test_copies_of_one_picture_are_no_recurrence(context: JobContext, send: Send) -> None:
    image, place = printed_at(1, SIDE)
    copies = [webp_of((image * factor).astype(np.uint8)) for factor in (1.0, 0.9, 0.8, 0.7)]
    send(*(Sent(file, "ip:198.51.100.1", place) for file in copies))
    with pytest.raises(NothingToCompare):
        run(context)


def test_without_ordinary_pictures_nothing_is_listed(context: JobContext, send: Send) -> None:
    send_prints(send, range(4))
    plain = [webp_of(cloth(default_rng(seed), SIDE)) for seed in range(4)]
    send(*(Sent(file, "ip:192.0.2.1") for file in plain))
    with pytest.raises(NothingToCompare, match=r"2 sampled pictures .* 30 do"):
        run(context)


def test_a_file_that_was_changed_or_is_gone_is_left_out(context: JobContext, send: Send) -> None:
    send_prints(send, range(1))
    store = PictureStore(context.settings.store.var_dir)
    [kept] = store.files()
    path = next((context.settings.store.var_dir / "evidence").rglob(f"*{kept.digest[2:]}*"))
    picture = KeptPicture("id", "ip:192.0.2.1", kept.digest, (SIDE, SIDE))
    assert read_image(store, picture) is not None
    path.write_bytes(webp_of(cloth(default_rng(1))))
    assert read_image(store, picture) is None
    path.unlink()
    assert read_image(store, picture) is None


@pytest.mark.parametrize(
    "place", [Place(0, 0, 4, 4), Place(390, 190, 400, 200), Place(100, 50, 300, 150)]
)
def test_what_is_cut_out_holds_the_place_and_is_not_tiny(place: Place) -> None:
    image = cloth(default_rng(1), 200)[:100]  # kept at half of the upload's 200 by 400
    tile = cut_out(image, (200, 400), place)
    assert 0.19 < tile.share <= 1
    height, width = tile.pixels.shape[:2]
    assert width >= (place.right - place.left) // 2
    assert height >= (place.bottom - place.top) // 2
