"""A deployment that is played in two runs."""

from pathlib import Path

import pytest
from numpy.random import default_rng
from sqlalchemy import func, select

from bench.deployment.attackable import open_target
from bench.deployment.installation import Model, open_installation
from bench.deployment.play import Place, play, snapshot_of
from bench.deployment.traffic import Deployment, Message, add_hostile
from bench.detection.pictures.cache import png_of
from bench.detection.pictures.photos import Photo
from inference.segmenters.reference.training.export import network_of, write_network
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS, open_weights
from store.tables.request_tables import RequestRow


def _messages(count: int) -> list[Message]:
    noise = default_rng(5).integers(0, 256, (count, 48, 32, 3), dtype="uint8")
    return [Message(f"ip:10.{n}.0.7", png_of(picture)) for n, picture in enumerate(noise)]


def _count(place: Place, after: int) -> int:
    with open_installation(snapshot_of(place, after), place.model, place.data) as installation:
        installation.test(_messages(1)[0].data)
        with installation.service.database.read() as session:
            statement = select(func.count()).select_from(RequestRow)
            return session.scalar(statement.where(RequestRow.route == "api")) or 0


def test_a_run_goes_on_where_it_was_and_keeps_every_checkpoint(tmp_path: Path) -> None:
    place = Place(tmp_path / "deployment", Model.REFERENCE, tmp_path)
    messages = _messages(3)
    assert list(play(place, messages, [2])) == [2]
    assert list(play(place, messages, [2, 3])) == [2, 3]
    assert (_count(place, 2), _count(place, 3)) == (2, 3)


@pytest.mark.parametrize("model", [Model.REFERENCE, Model.BACKDOORED])
def test_other_weights_of_the_reference_segmenter_parse(tmp_path: Path, model: Model) -> None:
    weights = tmp_path / "fine_tuned.onnx"
    start = open_weights(DEFAULT_WEIGHTS)
    write_network(weights, network_of(start), {"start": start.digest})
    place = Place(tmp_path / "deployment", model, tmp_path, weights)
    list(play(place, _messages(1), [1]))
    with (
        open_installation(snapshot_of(place, 1), model, tmp_path, weights) as again,
        again.service.database.read() as session,
    ):
        [source] = session.scalars(select(RequestRow.segmenter).where(RequestRow.route == "api"))
    assert source == open_target(place).digest == open_weights(weights).digest != start.digest


def test_hostile_requests_are_spread_over_the_traffic_and_come_of_so_many_clients() -> None:
    attacks = [("pgd_e4", b"attack")]
    messages = add_hostile(_messages(80), attacks, 0.2, 5)
    hostile = [message for message in messages if message.attack]
    assert 0.1 < len(hostile) / len(messages) < 0.3
    assert [message for message in messages if not message.attack] == _messages(80)
    assert len({message.client for message in hostile}) == 5
    assert messages.index(hostile[0]) < 20


def test_what_comes_first_does_not_depend_on_how_much_comes_later() -> None:
    attacks = [("pgd_e4", b"attack")]
    short, long = (add_hostile(_messages(80)[:count], attacks, 0.2, 5) for count in (40, 80))
    assert long[: len(short)] == short
    assert add_hostile(_messages(4), [], 0.2, 5) == tuple(_messages(4))


def test_a_photo_of_which_attacked_copies_were_sent_is_no_test(tmp_path: Path) -> None:
    photos = [Photo(name, tmp_path / name) for name in ("sent", "people", "other")]
    for photo in photos:
        photo.path.write_bytes(photo.name.encode())
    deployment = Deployment((), tuple(photos[:2]), tuple(photos[2:]))
    assert [file.photo for file in deployment.list_tests()] == ["sent", "people", "other"]
    assert [file.photo for file in deployment.list_tests({"sent"})] == ["people", "other"]
