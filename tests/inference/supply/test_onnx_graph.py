"""Only a plain network passes; whatever else ONNX can hold is refused, with the reason."""

from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, ValueInfoProto, helper, numpy_helper

from inference.segmenters.reference.weights import DEFAULT_WEIGHTS
from inference.supply.onnx_graph import Port, UnfitGraph, check_graph

Change = Callable[[ModelProto], object]


def _value(name: str) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, "height", "width"])


def _model() -> ModelProto:
    weights = numpy_helper.from_array(np.ones((3, 3, 1, 1), np.float32), "weights")
    nodes = [helper.make_node("Conv", ["x", "weights"], ["h"], kernel_shape=[1, 1])]
    nodes.append(helper.make_node("Relu", ["h"], ["y"]))
    graph = helper.make_graph(nodes, "small", [_value("x")], [_value("y")], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(model, {"format": "small"})
    return model


def _refused(data: bytes) -> str:
    with pytest.raises(UnfitGraph) as caught:
        check_graph(data)
    return str(caught.value)


def test_a_plain_network_passes_with_what_it_says() -> None:
    graph = check_graph(_model().SerializeToString())
    assert graph.inputs == (Port("x", ("n", 3, "height", "width")),)
    assert graph.outputs == (Port("y", ("n", 3, "height", "width")),)
    assert graph.metadata == {"format": "small"}


def _external(model: ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.external_data.add(key="location", value="../secret")


def _elsewhere(model: ModelProto) -> None:
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL


def _domain(model: ModelProto) -> None:
    model.graph.node[0].domain = "com.example"


def _operator_set(model: ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.example", 1))


def _loop(model: ModelProto) -> None:
    model.graph.node[0].op_type = "Loop"


def _subgraph(model: ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("body", body))


def _function(model: ModelProto) -> None:
    opsets = [helper.make_opsetid("", 18)]
    model.functions.append(helper.make_function("", "Relu", ["a"], ["b"], [], opsets))


def _external_constant(model: ModelProto) -> None:
    tensor = helper.make_tensor("t", TensorProto.FLOAT, [1], [1.0])
    tensor.external_data.add(key="location", value="../secret")
    model.graph.node[0].attribute.append(helper.make_attribute("value", tensor))


def _random(model: ModelProto) -> None:
    model.graph.node[1].op_type = "RandomNormalLike"


def _texts(model: ModelProto) -> None:
    tensor = helper.make_tensor("t", TensorProto.STRING, [1], np.array([b"text"], dtype=object))
    model.graph.initializer.append(tensor)


def _sparse(model: ModelProto) -> None:
    model.graph.sparse_initializer.add()


def _unknown(model: ModelProto) -> None:
    model.training_info.add()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_external, "other files"),
        (_elsewhere, "other files"),
        (_domain, "the operator Conv"),
        (_operator_set, "the operator set com.example"),
        (_loop, "the operator Loop"),
        (_subgraph, "a graph inside a graph"),
        (_function, "operators of its own"),
        (_external_constant, "other files"),
        (_random, "the operator RandomNormalLike"),
        (_texts, "field 6 of TensorProto"),
        (_sparse, "field 15 of GraphProto"),
        (_unknown, "field 20 of ModelProto"),
    ],
)
def test_more_than_a_plain_network_is_refused(change: Change, why: str) -> None:
    model = _model()
    change(model)
    assert why in _refused(model.SerializeToString())


def test_inputs_are_tensors_of_numbers() -> None:
    model = _model()
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING
    assert "damaged or no ONNX file" in _refused(model.SerializeToString())
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    assert check_graph(model.SerializeToString()).inputs[0].element == "uint8"


def test_weights_among_the_inputs_are_none() -> None:
    """As converters write files of IR version 3; ONNX Runtime lets callers leave them out."""
    model = _model()
    model.graph.input.append(_value("weights"))
    assert [port.name for port in check_graph(model.SerializeToString()).inputs] == ["x"]


def test_constants_and_words_of_exporters_are_read_over() -> None:
    model = _model()
    constant = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    model.graph.node.insert(0, helper.make_node("Constant", [], ["one"], value=constant))
    model.producer_version, model.doc_string, model.graph.doc_string = "2.9", "a", "b"
    model.graph.node[1].metadata_props.add(key="namespace", value="layer")
    model.graph.value_info.append(_value("h"))
    check_graph(model.SerializeToString())


def test_an_output_may_leave_its_shape_open() -> None:
    model = _model()
    model.graph.output[0].type.tensor_type.ClearField("shape")
    assert check_graph(model.SerializeToString()).outputs == (Port("y", ()),)


def test_a_second_graph_is_not_merged_with_the_first() -> None:
    """Other readers would run both; what was checked would not be what runs."""
    more = ModelProto()
    more.graph.node.append(helper.make_node("Relu", ["x"], ["z"]))
    assert "field 7 of ModelProto" in _refused(
        _model().SerializeToString() + more.SerializeToString()
    )


def test_a_name_that_does_not_print_cannot_spoil_the_sentence() -> None:
    model = _model()
    model.graph.node[0].op_type = "Run\x1b[2J\n" + "x" * 1000
    said = _refused(model.SerializeToString())
    assert said.isprintable()
    assert len(said) < 300


def test_every_shorter_file_is_refused() -> None:
    data = _model().SerializeToString()
    whole = len(data) - len(_metadata_of(data))
    for kept in range(whole):
        _refused(data[:kept])


def _metadata_of(data: bytes) -> bytes:
    """The last part of the file, without which the graph is still whole."""
    without = _model()
    del without.metadata_props[:]
    return data[len(without.SerializeToString()) :]


@given(data=st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(data: bytes) -> None:
    assert _refused(data)


@settings(max_examples=200)
@given(data=st.data())
def test_a_changed_byte_passes_or_is_refused_and_raises_nothing_else(data: st.DataObject) -> None:
    whole = bytearray(_model().SerializeToString())
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(UnfitGraph):
        check_graph(bytes(whole))


def test_the_shipped_file_passes() -> None:
    assert check_graph(DEFAULT_WEIGHTS.read_bytes()).metadata["format"]
