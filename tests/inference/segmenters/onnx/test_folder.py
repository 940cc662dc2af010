"""Every fault of a folder with a network and its description is a sentence that says what to do."""

from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from inference.segmenters.onnx.folder import check_folder, read_description, read_folder
from inference.segmenters.onnx.segmenter import load_onnx
from inference.supply.errors import ModelError
from inference.supply.verified import open_model
from tests.inference.segmenters.foreign_models import EXAMPLES, PLAIN, network, write_model


def _fault(folder: Path) -> str:
    with pytest.raises(ModelError) as error:
        load_onnx(open_model(check_folder(folder)), 1)
    said = str(error.value)
    assert said.isprintable()
    assert said.endswith(".")
    return said


def _fault_of(tmp_path: Path, old: str, new: str) -> str:
    assert old in PLAIN
    return _fault(write_model(tmp_path, network(), PLAIN.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("values =", "valeus =", "outputs[0].valeus is not a key that a segmenter.toml has (the n"),
        ("[labels]", "[lables]", "labels is missing"),
        (
            "[labels]",
            "[lables]",
            "lables is not a key that a segmenter.toml has (the nearest is la",
        ),
        ('"UpperClothes"', '"Face"', "labels is not usable: a label name stands twice"),
        ('"UpperClothes"', '"face"', "two labels differ in nothing but their spelling"),
        (
            '"UpperClothes"',
            '"tentacle"',
            "labels without a part group: tentacle. Give each one bel",
        ),
        (
            '= "face"',
            '= "visage"',
            "labels.groups.Visage is not usable: input should be 'head', 'ha",
        ),
        (', "UpperClothes"', "", "should have 3 channels: it has 4."),
        ('names = ["bg", "Face", "Visage", "UpperClothes"]', "", "groups names labels that are no"),
        ("long_side = 96", "", "input is not usable: give either size = [width, height] or long_s"),
        ("stride = 4", "stride = 0", "input.stride is not usable: input should be greater than or"),
        ("long_side = 96\nstride = 4", "size = [64, 64]\nstride = 4", "belong to long_side"),
        ("mean = [0.5, 0.5, 0.5]", "mean = [0.5]", "input.mean[1] is missing"),
        ("mean = [0.5, 0.5, 0.5]", "mean = [nan, 0, 0]", "input.mean[0] is not usable: input shou"),
        ("mean =", "deviation = [0, 1, 1]\nmean =", "a deviation is 0 or far too large"),
        ("long_side", 'type = "uint8"\nlong_side', "a uint8 input sees plain bytes"),
        ("long_side", 'type = "float16"\nlong_side', "is float16, and the network takes float32"),
        ("long_side", 'layout = "nhwc"\nlong_side', "another input than the network has, which is"),
        ("long_side", 'name = "image"\nlong_side', "the network's inputs are picture."),
        ('name = "logits"', 'name = "masks"', "the output masks is none of the network's: those a"),
        ('activation = "softmax"', "", "logits need an activation, softmax or sigmoid"),
        ('values = "logits"', 'values = "alpha"', "logits need an activation, softmax or sigmoid"),
        (
            'values = "logits"\nactivation = "softmax"',
            'values = "alpha"',
            'alpha has no background channel: background.rule is "below"',
        ),
        (
            'values = "logits"\nactivation = "softmax"',
            'values = "labels"',
            "the output logits should have 1 channel: it has 4.",
        ),
        ("[labels]", '[background]\nrule = "below"\n[labels]', "should have 3 channels: it has 4."),
        (
            "[labels]",
            "[background]\nthreshold = 1.5\n[labels]",
            "background.threshold is not usabl",
        ),
        ('name = "logits"', 'name = "logits"\nholds = "person"', "no labels and no softmax"),
        ("[input]", "[input", "is no TOML: "),
    ],
)
def test_a_fault_of_a_description_is_named_with_file_and_key(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    said = _fault_of(tmp_path, old, new)
    assert sentence in said
    assert str(tmp_path / "segmenter.toml") in said


def test_every_fault_has_its_sentence(tmp_path: Path) -> None:
    said = _fault_of(tmp_path, 'values = "logits"', 'valeus = "logits"')
    assert "outputs[0].values is missing." in said
    assert "outputs[0].valeus is not a key" in said


def test_a_description_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no text in UTF-8"):
        read_description(b"\xff", tmp_path)


@pytest.mark.parametrize("name", ["model.onnx", "segmenter.toml"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (write_model(tmp_path, network()) / name).unlink()
    assert f"lacks {name}: set MASKWATCH_MODEL to a folder that has both" in _fault(tmp_path)


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"")
    assert "lacks model.onnx and segmenter.toml" in _fault(file)


def _external(model: ModelProto) -> None:
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL


def _own_operator(model: ModelProto) -> None:
    model.graph.node[0].domain = "com.example"


def test_a_network_that_is_more_than_one_is_refused(tmp_path: Path) -> None:
    for change, why in ((_external, "keeps weights in other"), (_own_operator, "operator Conv")):
        model = network()
        change(model)
        assert why in _fault(write_model(tmp_path, model))
    (tmp_path / "model.onnx").write_bytes(network().SerializeToString()[:-9])
    assert "is damaged or no ONNX file" in _fault(tmp_path)


def test_a_network_that_does_not_run_is_refused(tmp_path: Path) -> None:
    model = network()
    model.graph.node[0].input[1] = "nothing"
    assert "cannot be run" in _fault(write_model(tmp_path, model))


def test_a_network_that_does_not_run_on_pictures_is_refused(tmp_path: Path) -> None:
    model = network()
    shape = numpy_helper.from_array(np.array([1, 4, 7, 7]), "shape")
    model.graph.initializer.append(shape)
    model.graph.node.append(helper.make_node("Reshape", ["logits", "shape"], ["square"]))
    square = helper.make_tensor_value_info("square", TensorProto.FLOAT, [1, 4, 7, 7])
    model.graph.output.append(square)
    folder = write_model(tmp_path, model, PLAIN.replace('name = "logits"', 'name = "square"'))
    assert "does not run on a picture of 1 × 3 × 96 × 64" in _fault(folder)


def test_a_changed_description_makes_another_model(tmp_path: Path) -> None:
    """Whoever changes what labels mean changes the source that records are kept by."""
    folder = write_model(tmp_path, network())
    before = open_model(folder).digest
    write_model(tmp_path, network(), PLAIN.replace("mean", "# another\nmean"))
    assert open_model(folder).digest != before


@pytest.mark.parametrize("name", ["bodypix", "u2netp"])
def test_a_description_of_the_docs_can_be_read(name: str, tmp_path: Path) -> None:
    description = read_description((EXAMPLES / f"{name}.toml").read_bytes(), tmp_path)
    assert description.labels.unknown == ()


def test_weights_and_picture_are_told_apart(tmp_path: Path) -> None:
    assert read_folder(open_model(write_model(tmp_path, network()))).input_name == "picture"
