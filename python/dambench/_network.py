"""Hierarchical associative memories (HAMUX): layers with Lagrangians, hypersynapses, one energy."""

from __future__ import annotations

import html
import json
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dambench import _core
from dambench._arrays import as_array
from dambench._files import _path

if TYPE_CHECKING:
    import pandas as pd


class Expression:
    """A value in the alignment of a synapse: activations ``g[0]``, learned arrays, and what is made of them.

    Arithmetic, ``.sum()``, ``.relu()``, ``.max(other)`` and Expression.call(name, …) for every function that
    ``ham help models`` lists. It is only written down; the engine computes it, with gradients through time.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @staticmethod
    def of(value: Expression | float | int) -> Expression:
        return value if isinstance(value, Expression) else Expression(repr(float(value)))

    @staticmethod
    def call(function: str, *arguments: Expression | float | int) -> Expression:
        """`function(arguments…)`, such as ``Expression.call("linear", g[0], W)``."""
        return Expression(f"{function}({', '.join(Expression.of(one).text for one in arguments)})")

    def _with(self, operator: str, other: Expression | float | int, swapped: bool = False) -> Expression:
        left, right = (Expression.of(other), self) if swapped else (self, Expression.of(other))
        return Expression(f"({left.text} {operator} {right.text})")

    def __add__(self, other: Expression | float) -> Expression:
        return self._with("+", other)

    def __radd__(self, other: float) -> Expression:
        return self._with("+", other, True)

    def __sub__(self, other: Expression | float) -> Expression:
        return self._with("-", other)

    def __rsub__(self, other: float) -> Expression:
        return self._with("-", other, True)

    def __mul__(self, other: Expression | float) -> Expression:
        return self._with("*", other)

    def __rmul__(self, other: float) -> Expression:
        return self._with("*", other, True)

    def __truediv__(self, other: Expression | float) -> Expression:
        return self._with("/", other)

    def __neg__(self) -> Expression:
        return self._with("*", -1.0)

    def __matmul__(self, other: Expression) -> Expression:
        return Expression.call("linear", self, other)

    def sum(self) -> Expression:
        return Expression.call("sum", self)

    def relu(self) -> Expression:
        return Expression.call("relu", self)

    def max(self, other: Expression | float) -> Expression:
        return Expression.call("max", self, other)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


def _toml(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return repr(float(value))
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(k))} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    raise TypeError(f"a model takes text, numbers, lists and tables, not {type(value).__name__}")


class Network:
    """A network and its parameters.

    Either read (Network.read, Network.from_toml) or built::

        network = dambench.Network("pair", depth=5, time_step=0.3, clamped=["a"], readout="b")
        network.add_layer("a", [20], "tanh").add_layer("b", [10], "softmax")
        network.add_synapse(lambda g, W: ((g[0] @ W) * g[1]).sum(), ["a", "b"], parameters={"W": [20, 10]})

    What it computes is in double precision. Raises ValueError that names layer or synapse, key and cure.
    """

    def __init__(
        self, name: str = "network", *, depth: int = 4, time_step: float = 0.4, clamped: Sequence[str] = (), readout: str | None = None
    ) -> None:
        self._name, self._depth, self._time_step = name, depth, time_step
        self._clamped, self._readout = list(clamped), readout
        self._layers: list[dict[str, Any]] = []
        self._synapses: list[dict[str, Any]] = []
        self._built: _core.Network | None = None
        self._parameters: np.ndarray | None = None

    @classmethod
    def from_toml(cls, text: str, name: str = "the model", spec: str = "") -> Network:
        """A network from the text of a model file (``ham help models``); `spec` is that of a training run, which may
        change norm, depth and time step."""
        network = cls()
        network._built = _core.Network(text, name, spec)
        return network

    @classmethod
    def read(cls, path: str | os.PathLike[str], weights: str = "best_weights") -> Network:
        """A model file (.toml), or the trained network of a run or of exported weights (.h5, .npz, .safetensors)."""
        where = _path(path)
        if where.endswith(".toml"):
            with open(where, encoding="utf-8-sig") as file:
                return cls.from_toml(file.read(), where)
        found = _core.read_network(where, weights)
        network = cls.from_toml(found["toml"], where, found["spec"])
        network._parameters = np.asarray(found["weights"], np.float64)
        return network

    def write(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Writes parameters (single precision) with the model inside: .npz, .h5 or .safetensors; read() and the program
        `ham` take it."""
        _core.write_network(os.fspath(path), self._core, self._flat().astype(np.float32), force)

    # building

    def add_layer(self, name: str, shape: Sequence[int] | int, lagrangian: str | Mapping[str, Any] = "identity", **keys: Any) -> Network:
        """Adds a layer; `keys` are those of a model file's layers. Returns the network."""
        lengths = [shape] if isinstance(shape, int | np.integer) else list(shape)
        self._layers.append({"name": name, "shape": lengths, "lagrangian": lagrangian, **keys})
        self._built = self._parameters = None
        return self

    def add_synapse(
        self,
        kind: str | Callable[..., Expression],
        connects: Sequence[str],
        *,
        name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> Network:
        """Adds a synapse between layers: a kind of model files with its keys, or a function of the activations g and the
        learned arrays (`parameters`: a shape, a number, or a table as in model files) that returns its alignment."""
        synapse: dict[str, Any] = {"name": name or f"s{len(self._synapses)}", "connects": list(connects)}
        learned = {
            key: {"shape": list(value)} if isinstance(value, Sequence) else value for key, value in (parameters or {}).items()
        }
        if learned:
            synapse["parameters"] = learned
        if callable(kind):
            g = [Expression(f"g{place}") for place in range(len(connects))]
            alignment = kind(g, *(Expression(key) for key in learned))
            if not isinstance(alignment, Expression):
                raise TypeError(f"synapse {synapse['name']}: the function returns {type(alignment).__name__}, not an Expression")
            synapse |= {"kind": "expression", "alignment": alignment.text}
        else:
            synapse["kind"] = kind
        self._synapses.append(synapse | keys)
        self._built = self._parameters = None
        return self

    @property
    def toml(self) -> str:
        """The text of the model file."""
        if self._built is not None:
            return self._built.toml
        dynamics: dict[str, Any] = {"depth": self._depth, "time_step": self._time_step, "clamped": self._clamped}
        if self._layers:
            dynamics["readout"] = self._readout or self._layers[-1]["name"]
        parts = {"name": self._name, "dynamics": dynamics, "layer": self._layers, "synapse": self._synapses}
        return "".join(f"{key} = {_toml(value)}\n" for key, value in parts.items())

    @property
    def _core(self) -> _core.Network:
        if self._built is None:
            self._built = _core.Network(self.toml, self._name, "")
        return self._built

    # parameters

    def _flat(self) -> np.ndarray:
        if self._parameters is None:
            self._parameters = np.asarray(self._core.initial_parameters(1))
        return self._parameters

    def initialize(self, seed: int = 1) -> Network:
        """Starting parameters of `ham train` with this seed. Returns the network."""
        self._parameters = np.asarray(self._core.initial_parameters(seed))
        return self

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Views of the parameters by name: writing into them changes the network."""
        return self._named(self._flat())

    def set_parameters(self, values: Mapping[str, Any]) -> Network:
        """Sets the parameters named. Raises KeyError that lists the names, ValueError for another shape."""
        mine = self.parameters
        for name, value in values.items():
            if name not in mine:
                raise KeyError(f"{name}: is no parameter; they are {', '.join(mine)}")
            array = as_array(value, name)
            if array.shape != mine[name].shape:
                raise ValueError(f"{name}: has shape {array.shape}, the network's has {mine[name].shape}")
            mine[name][...] = array
        return self

    # what it is

    @property
    def name(self) -> str:
        return self._core.name

    @property
    def layers(self) -> list[dict[str, Any]]:
        return self._core.layers

    @property
    def connections(self) -> list[tuple[str, list[str]]]:
        return self._core.connections

    def states(self, batch: int = 1, **given: Any) -> dict[str, np.ndarray]:
        """States of every layer: those given, (batch, layer shape…), the others at rest."""
        names = [layer["name"] for layer in self.layers]
        for name in given:
            if name not in names:
                raise KeyError(f"{name}: is no layer; they are {', '.join(names)}")
        if given:
            batch = len(next(iter(given.values())))
        found = {}
        for layer in self.layers:
            name = layer["name"]
            shape = (batch, *layer["shape"])
            if name not in given:
                found[name] = np.zeros(shape)
                continue
            array = as_array(given[name], name).astype(np.float64)
            if array.size != np.prod(shape, dtype=int):
                raise ValueError(f"{name}: has shape {array.shape}, the layer's is {shape}")
            found[name] = np.ascontiguousarray(array.reshape(shape))
        return found

    def _list(self, states: Mapping[str, Any]) -> list[np.ndarray]:
        return list(self.states(**dict(states)).values()) if states else list(self.states().values())

    def _by_name(self, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return {layer["name"]: array for layer, array in zip(self.layers, arrays, strict=True)}

    def _connection_names(self) -> list[str]:
        names = [name for name, _ in self.connections]
        return [name if names.count(name) == 1 else f"{name}({', '.join(layers)})" for name, layers in self.connections]

    def evaluate(self, states: Mapping[str, Any], threads: int = 1) -> dict[str, Any]:
        """energy (batch,), energies by layer and connection, activations and ∂E/∂g by layer; a synapse that connects
        several times has an energy ``name(a, b)`` for each."""
        found = self._core.evaluate(self._flat(), self._list(states), threads)
        return {
            "energy": found["total"],
            "layers": {layer["name"]: row for layer, row in zip(self.layers, found["layers"], strict=True)},
            "connections": dict(zip(self._connection_names(), found["connections"], strict=True)),
            "activations": self._by_name(found["activations"]),
            "gradients": self._by_name(found["gradients"]),
        }

    def energy(self, states: Mapping[str, Any]) -> np.ndarray:
        """E of every sample, (batch,)."""
        return self.evaluate(states)["energy"]

    def activations(self, states: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """g = ∇L(x) by layer."""
        return self.evaluate(states)["activations"]

    def forces(self, states: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """−∂E/∂g by layer, which τ dx/dt is."""
        return {name: -gradient for name, gradient in self.evaluate(states)["gradients"].items()}

    def descend(
        self,
        states: Mapping[str, Any],
        depth: int | None = None,
        time_step: float | None = None,
        *,
        clamp: Sequence[str] | None = None,
        free: Mapping[str, Any] | None = None,
        tolerance: float = 0,
        trace: bool = False,
        threads: int = 1,
    ) -> dict[str, Any]:
        """Euler steps x ← x + (dt/τ)(Σ∂F/∂g + I − x) of the layers that are not clamped.

        `free` marks, like the states, neurons that may move (1) and others (0). Returns states and steps, with `trace`
        also `trace`, the states at every step by layer, and `energies`, (steps + 1, batch). Raises RuntimeError where a
        state runs away: the energy has no floor, or the step is too long.
        """
        core = self._core
        masks = None
        if free is not None:
            full = {layer["name"]: np.ones_like(array) for layer, array in zip(self.layers, self._list(states), strict=True)}
            for name, mask in free.items():
                full[name] = np.broadcast_to(np.asarray(mask, np.float64), full[name].shape)
            masks = [np.ascontiguousarray(full[layer["name"]]) for layer in self.layers]
        found = core.descend(
            self._flat(),
            self._list(states),
            core.depth if depth is None else depth,
            core.time_step if time_step is None else time_step,
            tolerance,
            list(core.clamped if clamp is None else clamp),
            masks,
            trace,
            threads,
        )
        result: dict[str, Any] = {"states": self._by_name(found["states"]), "steps": found["steps"]}
        if trace:
            trail = [self._by_name(one) for one in found["trace"]]
            result["trace"] = {name: np.stack([one[name] for one in trail]) for name in trail[0]}
            result["energies"] = np.stack([one["total"] for one in found["energies"]])
        return result

    def _respond(
        self, states: Sequence[np.ndarray], output_gradient: np.ndarray | None, threads: int, flat: np.ndarray | None = None
    ) -> dict[str, Any]:
        core = self._core
        numbers = self._flat() if flat is None else np.ascontiguousarray(flat, np.float64)
        arrays = [np.ascontiguousarray(state, np.float64) for state in states]
        return core.respond(
            numbers, arrays, core.depth, core.time_step, list(core.clamped), core.readout, output_gradient, threads
        )

    def _named(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """Views of a run of parameters, by name."""
        found, begin = {}, 0
        for name, shape in self._core.parameters:
            size = int(np.prod(shape, dtype=int))
            found[name] = flat[begin : begin + size].reshape(shape)
            begin += size
        return found

    def respond(self, states: Mapping[str, Any], threads: int = 1) -> np.ndarray:
        """The readout's activations after the model's own descent."""
        return self._respond(self._list(states), None, threads)["output"]

    def gradient(self, states: Mapping[str, Any], output_gradient: Any, threads: int = 1) -> dict[str, Any]:
        """Backpropagation through the model's own descent: for ∂L/∂output, ∂L/∂ of parameters and of starting states."""
        wanted = np.ascontiguousarray(as_array(output_gradient, "output_gradient"), np.float64)
        found = self._respond(self._list(states), wanted, threads)
        return {
            "output": found["output"],
            "parameters": self._named(found["parameters"]),
            "states": self._by_name(found["states"]),
        }

    def __repr__(self) -> str:
        layers = ", ".join(f"{layer['name']} {'×'.join(map(str, layer['shape']))}" for layer in self.layers)
        count = sum(int(np.prod(shape, dtype=int)) for _, shape in self._core.parameters)
        return f"Network({self.name!r}: {layers}; {len(self.connections)} synapses, {count} parameters)"

    def _repr_html_(self) -> str:
        """The hypergraph: layers as boxes, below them every connection as a disc with a line to each of its layers."""
        return f"<b>{html.escape(self.name)}</b><br/>{_hypergraph(self.layers, self.connections)}"


def _hypergraph(layers: list[dict[str, Any]], connections: list[tuple[str, list[str]]]) -> str:
    """A drawing as SVG."""
    texts = {layer["name"]: (layer["name"], "×".join(map(str, layer["shape"]))) for layer in layers}
    width = max([110, *(9 * len(text) + 20 for pair in texts.values() for text in pair)])
    step = {name: max(width, 9 * len(name) + 20) for name, _ in connections}
    across = max((width + 20) * len(layers), sum(step.values()))
    center = {name: across * (place + 0.5) / len(layers) for place, name in enumerate(texts)}
    lines, discs, right = [], [], (across - sum(step.values())) / 2
    for name, touched in connections:
        x = right + step[name] / 2
        right += step[name]
        for layer in dict.fromkeys(touched):
            for bow in range(touched.count(layer)):  # a layer that it touches twice has two lines
                middle = (x + center[layer]) / 2 + 24 * bow
                lines.append(f'<path d="M{x:.0f} 120 Q{middle:.0f} 85 {center[layer]:.0f} 50" fill="none" stroke="#888"/>')
        discs.append(
            f'<circle cx="{x:.0f}" cy="120" r="7" fill="#d55e00"/>'
            f'<text x="{x:.0f}" y="145" text-anchor="middle" fill="currentColor">{html.escape(name)}</text>'
        )
    boxes = [
        f'<rect x="{x - width / 2:.0f}" y="5" width="{width}" height="45" rx="6" fill="#0072b2"/>'
        f'<text x="{x:.0f}" y="24" text-anchor="middle" fill="white">{html.escape(texts[name][0])}</text>'
        f'<text x="{x:.0f}" y="42" text-anchor="middle" fill="white">{texts[name][1]}</text>'
        for name, x in center.items()
    ]
    return (
        f'<svg viewBox="0 0 {across} 155" width="{across}" style="max-width:100%;font:13px sans-serif" '
        f'role="img" aria-label="hypergraph">{"".join(lines + discs + boxes)}</svg>'
    )


class Trainer:
    """Trains a network to classify images as `ham train` does: the same weights bit for bit.

    Args:
        network: a Network or the path of a model file.
        data: ``"mnist"``, ``"fashion-mnist"``, ``"cifar10"``, a file of images and labels, or a dict of arrays
            ``{"images": …, "labels": …}`` (layouts: ``ham help data``).
        recipe: ``"ours"``, ``"code"`` or ``"paper"``; its switches are further arguments, with ``_`` for ``-``.
        epochs: how many are meant; a schedule depends on it.
    """

    def __init__(
        self,
        network: Network | str | os.PathLike[str],
        data: Any = "",
        *,
        recipe: str = "code",
        epochs: int = 10,
        seed: int = 1,
        threads: int | None = None,
        data_dir: str | os.PathLike[str] = "",
        **switches: Any,
    ) -> None:
        from dambench._sweeps import _text

        self._network = network if isinstance(network, Network) else Network.read(network)
        words = [(name.replace("_", "-"), _text(value, name)) for name, value in switches.items()]
        with tempfile.TemporaryDirectory(prefix="dambench-") as folder:
            model = os.path.join(folder, f"{self._network.name}.toml")
            with open(model, "w", encoding="utf-8") as file:
                file.write(self._network.toml)
            if isinstance(data, Mapping):
                where = os.path.join(folder, "images.npz")
                np.savez(where, **{name: np.asarray(array) for name, array in data.items()})  # type: ignore[arg-type]
            else:
                where = os.fspath(data)
            self._trainer = _core.Trainer(
                model, where, os.fspath(data_dir), recipe, words, epochs, seed, threads or _core.available_threads()
            )
        for line in self._trainer.warnings:
            warnings.warn(line, UserWarning, stacklevel=2)

    def fit(self, epochs: int | None = None, callback: Callable[[dict[str, Any]], bool | None] | None = None) -> Trainer:
        """Trains `epochs` more epochs, to the end unless given; `callback` gets every epoch's row of the history and
        ends training by returning True. Ctrl-C raises KeyboardInterrupt; fit() then goes on. Returns the trainer."""
        done_before = self._trainer.epochs
        while not self._trainer.done and (epochs is None or self._trainer.epochs < done_before + epochs):
            before = self._trainer.epochs
            self._trainer.step(1)
            if self._trainer.epochs > before and callback is not None and callback(self._trainer.history()[-1]):
                break
        return self

    @property
    def history(self) -> pd.DataFrame:
        """One row an epoch: learning rate, losses, accuracies (fractions)."""
        import pandas as pd

        return pd.DataFrame(self._trainer.history()).set_index("epoch") if self._trainer.epochs else pd.DataFrame()

    @property
    def network(self) -> Network:
        """The network with the best epoch's weights, before the first one ended with the present ones."""
        trained = Network.from_toml(self._network.toml, self._network.name, self._trainer.spec)
        best = np.asarray(self._trainer.weights("best_weights"))
        flat = best if best.size else np.asarray(self._trainer.weights("weights"))
        if flat.size:
            trained._parameters = flat.astype(np.float64)
        return trained

    def weights(self, which: str = "best_weights") -> np.ndarray:
        """All parameters in one run, single precision, as in result files."""
        return np.asarray(self._trainer.weights(which))
