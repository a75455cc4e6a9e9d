"""Private names of other packages that this one relies on are there, and take the arguments that it passes.

If one fails, see what the package offers instead, and change the file that the message names.
"""

import ast
import importlib
import inspect
import re
from functools import partial, reduce
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
import torch
from torch import nn

from etalage.catalogue.readers.hub import PRIVATE_DATASETS_NAMES
from etalage.fused.torch_private import PRIVATE_NAMES, PrivateName, is_compiler_error, make_checkpointable

PACKAGE = Path(__file__).parents[3] / "src" / "etalage"
DATASETS_NAMES = [PrivateName(*name.rsplit(".", 1)) for name in PRIVATE_DATASETS_NAMES]
NAMES = [*PRIVATE_NAMES, *DATASETS_NAMES]
DISTRIBUTIONS = {"flash_attn": "flash-attn-4"}


def find_owner(path):
    """Return the module or the class that a dotted path names."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        return reduce(getattr, parts[end:], module)
    raise ModuleNotFoundError(path)


def parameters(function):
    """Return the names of a function's parameters, or of an operator's."""
    if isinstance(function, torch._ops.OpOverloadPacket):
        return [argument.name for argument in function.default._schema.arguments]
    # transformers 5.17 has a static method where later versions have one with self; both are called alike.
    return [name for name in inspect.signature(function).parameters if name != "self"]


def complaint(private):
    """Return what has changed about a name, or None."""
    try:
        owner = find_owner(private.owner)
    except (ModuleNotFoundError, AttributeError):
        return f"has no {private.owner}"
    if not private.positional and not private.keywords:
        # Some are set by a class on its instances, so they are only found in its source.
        is_there = hasattr(owner, private.name) or private.name in getattr(owner, "__annotations__", {})
        is_there = is_there or (inspect.isclass(owner) and f"self.{private.name}" in inspect.getsource(owner))
        return None if is_there else f"has no {private.owner}.{private.name}"
    if not hasattr(owner, private.name):
        return f"has no {private.owner}.{private.name}"
    found = parameters(getattr(owner, private.name))
    if tuple(found[: len(private.positional)]) != private.positional:
        return f"has other first parameters of {private.owner}.{private.name} than {private.positional}: {found}"
    if missing := set(private.keywords) - set(found):
        return f"has no parameters {sorted(missing)} of {private.owner}.{private.name}: {found}"
    return None


@pytest.mark.parametrize("private", NAMES, ids=lambda private: f"{private.owner}.{private.name}")
def test_name_is_there_with_its_parameters(private):
    distribution = DISTRIBUTIONS.get(private.library, private.library)
    try:
        installed = version(distribution)
    except PackageNotFoundError:
        pytest.skip(f"{distribution} is not installed")
    changed = complaint(private)
    users = (
        "catalogue/readers/hub.py" if private.library == "datasets" else "phi3v/private_api.py, fused/torch_private.py"
    )
    assert changed is None, f"{distribution} {installed} {changed}; adapt {users} and what uses the name"


@pytest.mark.parametrize(
    ("private", "message"),
    [
        (PrivateName("torch", "_no_such_function"), r"has no torch\._no_such_function"),
        (PrivateName("torch.no_such_module", "f"), r"has no torch\.no_such_module"),
        (PrivateName("torch.nn.functional", "softmax", ("input", "bias")), "other first parameters"),
        (PrivateName("torch.nn.Module", "to", keywords=("colour",)), r"no parameters \['colour'\]"),
    ],
)
def test_a_change_is_said_in_words(private, message):
    assert re.search(message, complaint(private))


def test_every_private_name_that_the_source_reads_of_others_is_listed():
    """Attributes with an underscore of anything but `self`, unless this package defines them itself."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in sorted(PACKAGE.rglob("*.py"))]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {node.id for node in nodes if isinstance(node, ast.Name)}
    own |= {node.attr for node in nodes if is_private(node) and is_self(node.value)}
    read = {node.attr for node in nodes if is_private(node) and not is_self(node.value)}
    listed = {private.name for private in NAMES}
    documented = {"_exit", "_asdict", "_replace"}  # Of os and of named tuples.
    assert read - own - documented <= listed


def is_private(node):
    return isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")


def is_self(node):
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def test_compiler_errors_are_told_from_others():
    from torch._dynamo.exc import BackendCompilerFailed
    from torch._inductor.exc import InductorError

    assert issubclass(BackendCompilerFailed, RuntimeError)
    assert issubclass(InductorError, RuntimeError)
    for error in (BackendCompilerFailed, InductorError):
        assert is_compiler_error(error.__new__(error))
    assert not is_compiler_error(RuntimeError("out of memory"))


def test_checkpointing_recomputes_a_layer_when_it_is_switched_on():
    from transformers.modeling_layers import GradientCheckpointingLayer

    class Layer(GradientCheckpointingLayer):
        def __init__(self):
            super().__init__()
            self.linear, self.num_calls = nn.Linear(4, 4), 0

        def forward(self, x):
            self.num_calls += 1
            return self.linear(x).tanh()

    layer, x = Layer().train(), torch.randn(3, 4, requires_grad=True)
    make_checkpointable(layer)
    gradients = []
    for is_on, num_calls in ((False, 1), (True, 2)):
        layer.gradient_checkpointing, layer.num_calls = is_on, 0
        gradients.append(torch.autograd.grad(layer(x).sum(), x)[0])
        assert layer.num_calls == num_calls
    assert gradients[0].equal(gradients[1])
    assert isinstance(layer._gradient_checkpointing_func, partial)
