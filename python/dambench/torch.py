"""A hierarchical memory as a layer of a PyTorch model (pip install dambench[torch])."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from dambench._network import Network


class _Respond(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, network: Network, threads: int, num_states: int, *tensors: torch.Tensor) -> torch.Tensor:
        states = [tensor.detach().cpu().double().numpy() for tensor in tensors[:num_states]]
        flat = np.concatenate([tensor.detach().cpu().double().numpy().ravel() for tensor in tensors[num_states:]])
        ctx.network, ctx.threads, ctx.states, ctx.flat = network, threads, states, flat
        ctx.like = [(tensor.dtype, tensor.device) for tensor in tensors]
        output = network._respond(states, None, threads, flat)["output"]
        return torch.from_numpy(output).to(*reversed(ctx.like[0]))

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[Any, ...]:
        wanted = np.ascontiguousarray(gradients[0].detach().cpu().double().numpy())
        found = ctx.network._respond(ctx.states, wanted, ctx.threads, ctx.flat)
        arrays = [*found["states"], *ctx.network._named(found["parameters"]).values()]
        return (None, None, None, *(torch.from_numpy(a.copy()).to(*reversed(like)) for a, like in zip(arrays, ctx.like, strict=True)))


class HAM(torch.nn.Module):
    """`network`'s own descent as a module: states of layers by name in, the readout's activations out.

    Its parameters are the network's, by their names with ``.`` as ``__``; gradients go through time, computed by the same
    engine in double precision. ``ham.network()`` gives the network with what was learned.
    """

    def __init__(self, network: Network, threads: int = 1) -> None:
        super().__init__()
        self._network, self._threads = network, threads
        self._names = list(network.parameters)
        for name, array in network.parameters.items():
            self.register_parameter(name.replace(".", "__"), torch.nn.Parameter(torch.from_numpy(array.copy())))

    def forward(self, **states: torch.Tensor) -> torch.Tensor:
        """Layers that are not given start at rest; the first axis is the batch."""
        if not states:
            raise ValueError("HAM: give the state of one layer at least")
        first = next(iter(states.values()))
        known = {layer["name"]: layer["shape"] for layer in self._network.layers}
        for name in states:
            if name not in known:
                raise KeyError(f"{name}: is no layer; they are {', '.join(known)}")
        tensors = [
            states[name].reshape(len(first), *shape) if name in states else first.new_zeros(len(first), *shape)
            for name, shape in known.items()
        ]
        parameters = [getattr(self, name.replace(".", "__")) for name in self._names]
        return _Respond.apply(self._network, self._threads, len(tensors), *tensors, *parameters)

    def network(self) -> Network:
        """The network with the module's parameters."""
        values = {name: getattr(self, name.replace(".", "__")).detach().cpu().double().numpy() for name in self._names}
        return Network.from_toml(self._network.toml, self._network.name).set_parameters(values)
