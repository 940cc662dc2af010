"""Looks through an ONNX file before a session is made of it: only a plain network passes.

ONNX Runtime reads other files, calls libraries and runs loops if a file asks for it. The fields and
operators below are what networks that segment are made of: each operator is a function of its
inputs, draws nothing at random and holds no graph. Everything else is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from inference.supply.protobuf import (
    FIXED32,
    VARINT,
    Field,
    MalformedMessage,
    Message,
    Schema,
    UnknownField,
    read_message,
)
from store.models.model_files import escape_name

OPERATORS = frozenset(
    (
        *("Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum", "AveragePool", "MaxPool"),
        *("GlobalAveragePool", "GlobalMaxPool", "LRN", "BatchNormalization"),
        *("InstanceNormalization", "LayerNormalization", "GroupNormalization", "Dropout"),
        *("Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu", "Mish", "HardSigmoid"),
        *("HardSwish", "Sigmoid", "Tanh", "Softplus", "Softsign", "Softmax", "LogSoftmax"),
        *("Add", "Sub", "Mul", "Div", "Mod", "Pow", "Sqrt", "Reciprocal", "Neg", "Abs"),
        *("Sign", "Exp", "Log", "Erf", "Sin", "Cos", "Floor", "Ceil", "Round", "Clip", "Max"),
        *("Min", "Mean", "Sum", "And", "Or", "Not", "Equal", "Less", "LessOrEqual"),
        *("Greater", "GreaterOrEqual", "Where", "ReduceMax", "ReduceMean", "ReduceMin"),
        *("ReduceSum", "ReduceL2", "ArgMax", "ArgMin", "CumSum", "TopK", "Cast", "CastLike"),
        *("Concat", "Constant", "ConstantOfShape", "DepthToSpace", "DequantizeLinear"),
        *("Expand", "Flatten", "Gather", "GatherElements", "GatherND", "GridSample"),
        *("Identity", "Pad", "QuantizeLinear", "Range", "Reshape", "Resize", "ScatterND"),
        *("Shape", "Size", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose"),
        *("Unsqueeze", "Upsample"),
    )
)
_OWN_DOMAINS = ("", "ai.onnx")
_ELEMENTS = {
    1: "float32",
    2: "uint8",
    3: "int8",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
}

_ENTRY = Schema("StringStringEntryProto", Field(1, "key"), Field(2, "value"))
_DIMENSION = Schema("Dimension", Field(1, "size", VARINT), Field(2, "name"), Field(3, "kind"))
_SHAPE = Schema("TensorShapeProto", Field(1, "sides", schema=_DIMENSION, is_repeated=True))
_TENSOR_TYPE = Schema("Tensor", Field(1, "element", VARINT), Field(2, "shape", schema=_SHAPE))
_TYPE = Schema("TypeProto", Field(1, "tensor", schema=_TENSOR_TYPE), Field(6, "kind"))
_VALUE = Schema(
    "ValueInfoProto",
    Field(1, "name"),
    Field(2, "type", schema=_TYPE),
    Field(3, "text"),
    Field(4, "metadata", schema=_ENTRY, is_repeated=True),
)
_TENSOR = Schema(
    "TensorProto",
    Field(1, "sides", VARINT, is_repeated=True),
    Field(2, "element", VARINT),
    Field(4, "floats"),
    Field(5, "small_integers"),
    Field(7, "integers"),
    Field(8, "name"),
    Field(9, "raw"),
    Field(10, "doubles"),
    Field(12, "text"),
    Field(16, "metadata", schema=_ENTRY, is_repeated=True),
)
_ATTRIBUTE = Schema(
    "AttributeProto",
    Field(1, "name"),
    Field(2, "float", FIXED32),
    Field(3, "integer", VARINT),
    Field(4, "text"),
    Field(5, "tensor", schema=_TENSOR),
    Field(7, "floats", FIXED32, is_repeated=True),
    Field(8, "integers", VARINT, is_repeated=True),
    Field(9, "texts", is_repeated=True),
    Field(13, "explanation"),
    Field(20, "type", VARINT),
)
_NODE = Schema(
    "NodeProto",
    Field(1, "inputs", is_repeated=True),
    Field(2, "outputs", is_repeated=True),
    Field(3, "name"),
    Field(4, "operator"),
    Field(5, "attributes", schema=_ATTRIBUTE, is_repeated=True),
    Field(6, "text"),
    Field(7, "domain"),
    Field(9, "metadata", schema=_ENTRY, is_repeated=True),
)
_GRAPH = Schema(
    "GraphProto",
    Field(1, "nodes", schema=_NODE, is_repeated=True),
    Field(2, "name"),
    Field(5, "weights", schema=_TENSOR, is_repeated=True),
    Field(10, "text"),
    Field(11, "inputs", schema=_VALUE, is_repeated=True),
    Field(12, "outputs", schema=_VALUE, is_repeated=True),
    Field(13, "values", schema=_VALUE, is_repeated=True),
    Field(16, "metadata", schema=_ENTRY, is_repeated=True),
)
_OPERATOR_SET = Schema("OperatorSetIdProto", Field(1, "domain"), Field(2, "version", VARINT))
_MODEL = Schema(
    "ModelProto",
    Field(1, "ir_version", VARINT),
    Field(2, "producer"),
    Field(3, "producer_version"),
    Field(4, "domain"),
    Field(5, "version", VARINT),
    Field(6, "text"),
    Field(7, "graph", schema=_GRAPH),
    Field(8, "operator_sets", schema=_OPERATOR_SET, is_repeated=True),
    Field(14, "metadata", schema=_ENTRY, is_repeated=True),
)

_WHY = {
    ("TensorProto", 13): "keeps weights in other files",
    ("TensorProto", 14): "keeps weights in other files",
    ("AttributeProto", 6): "holds a graph inside a graph",
    ("AttributeProto", 11): "holds a graph inside a graph",
    ("ModelProto", 25): "defines operators of its own",
}


class UnfitGraph(Exception):
    """An ONNX file that is not loaded; ``str()`` says why, without its name."""


@dataclass(frozen=True)
class Port:
    """An input or output.

    Attributes:
        sides: numbers, or names where they are free.
        element: type of its numbers, as numpy calls it.
    """

    name: str
    sides: tuple[int | str, ...]
    element: str = "float32"


@dataclass(frozen=True)
class PlainGraph:
    """What a checked file takes, gives, and says of itself."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: Mapping[str, str]


def check_graph(data: bytes) -> PlainGraph:
    """Check every byte of an ONNX file.

    Raises:
        UnfitGraph: it is damaged, or more than a plain network.
    """
    try:
        return _plain(read_message(memoryview(data), _MODEL))
    except UnknownField as unknown:
        why = _WHY.get((unknown.message, unknown.number))
        raise UnfitGraph(why or f"has {unknown}, which no segmenter needs") from None
    except (MalformedMessage, ValueError):
        raise UnfitGraph("is damaged or no ONNX file") from None


def _plain(model: Message) -> PlainGraph:
    """Raises ValueError where a part is missing or no text."""
    (graph,) = model["graph"]
    if not model["operator_sets"]:
        raise ValueError
    foreign = next(_foreign_names(model, graph), None)
    if foreign is not None:
        raise UnfitGraph(f"uses {foreign}, which no segmenter needs")
    metadata = {_text(entry["key"]): _text(entry["value"]) for entry in model["metadata"]}
    weights = {_text(tensor["name"]) for tensor in graph["weights"]}
    # Older files list their weights among the inputs.
    inputs = [value for value in graph["inputs"] if _text(value["name"]) not in weights]
    return PlainGraph(tuple(map(_port, inputs)), tuple(map(_port, graph["outputs"])), metadata)


def _foreign_names(model: Message, graph: Message) -> Iterator[str]:
    """Operators and sets of operators that are not allowed."""
    for operators in model["operator_sets"]:
        if _text(operators["domain"]) not in _OWN_DOMAINS:
            yield f"the operator set {escape_name(_text(operators['domain']))}"
    for node in graph["nodes"]:
        domain, operator = _text(node["domain"]), _text(node["operator"])
        if domain not in _OWN_DOMAINS:
            yield f"the operator {escape_name(operator)} of {escape_name(domain)}"
        elif operator not in OPERATORS:
            yield f"the operator {escape_name(operator)}"


def _port(value: Message) -> Port:
    """Raises ValueError if it is no tensor of numbers."""
    (kind,) = value["type"]
    (tensor,) = kind["tensor"]
    (element,) = tensor["element"]
    if element not in _ELEMENTS:
        raise ValueError
    shape = tensor["shape"][0]["sides"] if tensor["shape"] else ()
    sides = (side["size"][0] if side["size"] else _text(side["name"]) for side in shape)
    return Port(_text(value["name"]), tuple(sides), _ELEMENTS[element])


def _text(values: list[memoryview]) -> str:
    """The text of a field that is there once or not at all."""
    return str(values[0], "utf-8") if values else ""
