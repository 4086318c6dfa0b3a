"""A hierarchical memory as a differentiable function of JAX (pip install dambench[jax])."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dambench._network import Network


def respond(network: Network, threads: int = 1) -> Callable[[dict[str, Any], dict[str, Any]], jax.Array]:
    """A function (parameters, states) → the readout's activations after the model's own descent, both dicts by name as
    `network.parameters` and `network.states()` have them.

    It can be jitted and differentiated in reverse; gradients go through time, computed by the same engine in double
    precision and given back in the type of what they belong to.
    """
    names = [layer["name"] for layer in network.layers]
    shapes = {layer["name"]: tuple(layer["shape"]) for layer in network.layers}
    parameter_names = list(network.parameters)
    readout = shapes[network._core.readout]

    def flat(parameters: dict[str, Any]) -> np.ndarray:
        return np.concatenate([np.asarray(parameters[name], np.float64).ravel() for name in parameter_names])

    def run(parameters: dict[str, Any], states: dict[str, Any], wanted: Any) -> Any:
        gradient = None if wanted is None else np.ascontiguousarray(np.asarray(wanted, np.float64))
        return network._respond([np.asarray(states[name]) for name in names], gradient, threads, flat(parameters))

    def output_type(states: dict[str, Any]) -> jax.ShapeDtypeStruct:
        first = states[names[0]]
        return jax.ShapeDtypeStruct((first.shape[0], *readout), first.dtype)

    @jax.custom_vjp
    def function(parameters: dict[str, Any], states: dict[str, Any]) -> jax.Array:
        wanted = output_type(states)
        return jax.pure_callback(lambda p, s: run(p, s, None)["output"].astype(wanted.dtype), wanted, parameters, states)

    def forward(parameters: dict[str, Any], states: dict[str, Any]) -> Any:
        return function(parameters, states), (parameters, states)

    def backward(kept: Any, gradient: jax.Array) -> Any:
        parameters, states = kept
        like = jax.tree.map(lambda array: jax.ShapeDtypeStruct(array.shape, array.dtype), (parameters, states))

        def compute(p: dict[str, Any], s: dict[str, Any], g: Any) -> Any:
            found = run(p, s, g)
            by_name = network._named(found["parameters"])
            by_layer = dict(zip(names, found["states"], strict=True))
            return (
                {name: by_name[name].astype(like[0][name].dtype) for name in p},
                {name: by_layer[name].astype(like[1][name].dtype) for name in s},
            )

        return jax.pure_callback(compute, like, parameters, states, gradient)

    function.defvjp(forward, backward)

    def checked(parameters: dict[str, Any], states: dict[str, Any]) -> jax.Array:
        for kind, given, known in (("parameter", parameters, parameter_names), ("layer", states, names)):
            if set(given) != set(known):
                raise KeyError(f"{kind}s: given {', '.join(given)}; the network's are {', '.join(known)}")
        whole = {name: jnp.asarray(state).reshape(-1, *shapes[name]) for name, state in states.items()}
        return function({name: jnp.asarray(value) for name, value in parameters.items()}, whole)

    return checked
