"""Memories written with HAMUX (the package `hamux`, version 0.2) as networks of dambench, parameters included::

    import dambench.hamux
    network = dambench.hamux.network(ham, clamped=["image"], readout="label", depth=4, time_step=0.1)

Needs whatever made `ham`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from dambench._network import Expression, Network

# By the name of HAMUX's Lagrangian: the kind of model files, and its key for every argument that it has.
_LAGRANGIANS: dict[str, tuple[str, dict[str, str]]] = {
    "lagr_identity": ("identity", {}),
    "lagr_repu": ("rectified_power", {"n": "degree"}),
    "lagr_relu": ("relu", {}),
    "lagr_exp": ("exp", {"beta": "beta"}),
    "lagr_rexp": ("rectified_exp", {"beta": "beta"}),
    "lagr_tanh": ("tanh", {"beta": "beta"}),
    "lagr_sigmoid": ("sigmoid", {"beta": "beta"}),
    "lagr_softmax": ("softmax", {"beta": "beta", "axis": "axis"}),
    "lagr_layernorm": ("layer_norm", {"gamma": "gamma", "delta": "delta", "axis": "axis", "eps": "epsilon"}),
    "lagr_spherical_norm": ("spherical_norm", {"axis": "axis", "eps": "epsilon"}),
}
_INTEGERS = {"degree", "axis"}

Synapse = Callable[..., Expression]


def _lagrangian(layer: str, function: Any) -> dict[str, Any]:
    """The table of a model file for one of HAMUX's Lagrangians, as it is or in functools.partial."""
    given: dict[str, Any] = {}
    while isinstance(function, functools.partial):
        if function.args:
            raise ValueError(f"layer {layer}: arguments of its Lagrangian need their names, as in partial(lagr_softmax, beta=2)")
        given = dict(function.keywords) | given
        function = function.func
    name = getattr(function, "__name__", type(function).__name__)
    if name not in _LAGRANGIANS:
        raise ValueError(
            f"layer {layer}: its Lagrangian {name} is none of {', '.join(_LAGRANGIANS)} (with functools.partial for arguments); "
            f"say what it is, such as lagrangians={{{layer!r}: {{'kind': 'softmax', 'beta': 2.0}}}}"
        )
    kind, keys = _LAGRANGIANS[name]
    table: dict[str, Any] = {"kind": kind}
    for argument, value in given.items():
        if argument not in keys:
            raise ValueError(f"layer {layer}: {name} with {argument} has no counterpart among the Lagrangians of dambench")
        key = keys[argument]
        if key == "axis" and value is None:
            table[key] = "whole"
        elif np.ndim(value) != 0:
            raise ValueError(f"layer {layer}: {argument} of {name} is an array; dambench reads one number")
        elif key in _INTEGERS:
            if int(value) != value:
                raise ValueError(f"layer {layer}: {argument} = {value} of {name} is no integer")
            table[key] = int(value)
        else:
            table[key] = float(value)
    if set(keys) - {"n"}:  # Lagrangians with coefficients: HAMUX does not learn them
        table["learned"] = False
    return table


def _same_padding(name: str, length: int, kernel: int, stride: int, padding: str) -> int:
    """Zeros on either side of an axis, for JAX's words."""
    if padding == "VALID":
        return 0
    if padding != "SAME":
        raise ValueError(f"synapse {name}: padding {padding!r} is neither 'SAME' nor 'VALID'")
    total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    if total % 2:
        raise ValueError(
            f"synapse {name}: padding 'SAME' adds {total} zeros to an axis of {length}, one side more than the other; "
            "a kernel of odd length, or another stride, has both alike"
        )
    return total // 2


def _arrays(synapse: Any) -> dict[str, np.ndarray]:
    """The arrays that a synapse's module has for fields."""
    found = {}
    for field in getattr(type(synapse), "__dataclass_fields__", {}):
        value = getattr(synapse, field)
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            found[field] = np.asarray(value, np.float64)
    return found


def _add(
    network: Network,
    name: str,
    synapse: Any,
    connects: list[list[str]],
    shapes: Mapping[str, tuple[int, ...]],
    own: Synapse | None,
) -> dict[str, np.ndarray]:
    """Adds a synapse; its parameters by name."""
    where: Any = connects if len(connects) > 1 else connects[0]
    arrays = _arrays(synapse)
    kind = type(synapse).__name__
    if own is not None:
        network.add_synapse(own, where, name=name, parameters={key: list(array.shape) for key, array in arrays.items()})
        return arrays
    if kind == "LinearSynapse":
        network.add_synapse("dense", where, name=name)
        return {"W": arrays["W"]}
    if kind == "LinearSynapseWithBias":
        network.add_synapse(
            lambda g, W, b: ((g[0] @ W + b) * g[1]).sum(), where, name=name,
            parameters={key: list(arrays[key].shape) for key in ("W", "b")},
        )
        return arrays
    if kind == "BiasSynapse":
        network.add_synapse("bias", where, name=name)
        return arrays
    if kind == "ConvSynapse":
        kernel = list(arrays["W"].shape[2:])
        stride = [int(step) for step in synapse.window_strides]
        padding = {
            tuple(
                _same_padding(name, length, size, step, synapse.padding)
                for length, size, step in zip(shapes[layers[0]], kernel, stride, strict=False)
            )
            for layers in connects
        }
        if len(padding) > 1:
            raise ValueError(f"synapse {name}: connects images of unlike sizes, which 'SAME' pads differently")
        network.add_synapse(
            "convolution", where, name=name, kernel=kernel, stride=stride, padding=list(padding.pop()), bias=False
        )
        return {"K": arrays["W"].transpose(2, 3, 1, 0)}
    raise ValueError(
        f"synapse {name}: {kind} is none of HAMUX's own; write its alignment, which is minus its energy, such as "
        f"synapses={{{name!r}: lambda g, W: ((g[0] @ W) * g[1]).sum()}} (arguments after g: its arrays, in their order)"
    )


def _compare(network: Network, ham: Any) -> None:
    """Raises ValueError unless both have the same energies at a random state: a formula that was given may be wrong."""
    import jax

    random = np.random.default_rng(1)
    states = {layer["name"]: random.normal(size=layer["shape"]).astype(np.float32) for layer in network.layers}
    theirs = jax.jit(lambda xs: ham.energy_tree(ham.activations(xs), xs))(states)
    mine = network.evaluate({name: state[None] for name, state in states.items()})
    pairs = [(f"layer {name}", theirs["neurons"][name], mine["layers"][name][0]) for name in states]
    by_synapse: dict[str, float] = {}
    for (_, synapse), energy in zip(ham.connections, theirs["connections"], strict=True):
        by_synapse[synapse] = by_synapse.get(synapse, 0.0) + float(energy)
    found: dict[str, float] = {}
    for (name, _), row in zip(network.connections, mine["connections"].values(), strict=True):
        found[name] = found.get(name, 0.0) + float(row[0])
    pairs += [(f"synapse {name}", by_synapse[name], found[name]) for name in by_synapse]
    for what, expected, got in pairs:
        size = 1 + sum(state.size for state in states.values()) ** 0.5 + abs(float(expected))
        if not abs(float(expected) - float(got)) <= 1e-3 * size:
            raise ValueError(f"{what}: has energy {float(expected):.6g} in HAMUX and {float(got):.6g} here; is its formula right?")


def network(
    ham: Any,
    *,
    clamped: Sequence[str] = (),
    readout: str | None = None,
    depth: int = 4,
    time_step: float = 0.4,
    name: str = "hamux",
    lagrangians: Mapping[str, str | Mapping[str, Any]] | None = None,
    synapses: Mapping[str, Synapse] | None = None,
) -> Network:
    """The Network that `ham` (a ``hamux.HAM``, vectorized or not) is, with its parameters; energies are HAMUX's term by term.

    Args:
        clamped, readout, depth, time_step: what HAMUX leaves to the loop around it; ``x -= time_step * dEdact``.
        lagrangians: by layer, tables as in model files, for Lagrangians that are the user's own functions.
        synapses: by synapse, alignments (minus the energy) of the user's own classes, functions of the activations g
            and of the module's arrays, in the order of its fields.

    Raises:
        ValueError: what cannot be expressed, with its name; or a formula that was given has another energy than HAMUX's.
        KeyError: a formula for a layer or synapse that is not there; the message lists those that are.
    """
    ham = ham.unvectorize() if hasattr(ham, "unvectorize") else ham
    lagrangians, synapses = lagrangians or {}, synapses or {}
    for option, given, there in [("lagrangians", lagrangians, ham.neurons), ("synapses", synapses, ham.hypersynapses)]:
        for one in given:
            if one not in there:
                raise KeyError(f"{option}: {one} is not there; there are {', '.join(there)}")
    made = Network(name, depth=depth, time_step=time_step, clamped=clamped, readout=readout)
    shapes = {}
    for layer, neurons in ham.neurons.items():
        shape = neurons.shape if isinstance(neurons.shape, tuple | list) else (neurons.shape,)
        shapes[layer] = tuple(int(length) for length in shape)
        made.add_layer(layer, list(shapes[layer]), lagrangians.get(layer) or _lagrangian(layer, neurons.lagrangian))
    parameters = {}
    for synapse, module in ham.hypersynapses.items():
        connects = [list(layers) for layers, used in ham.connections if used == synapse]
        if not connects:
            continue  # without a connection it has no energy
        for key, array in _add(made, synapse, module, connects, shapes, synapses.get(synapse)).items():
            parameters[f"{synapse}.{key}"] = array
    made.set_parameters(parameters)
    _compare(made, ham)
    return made
