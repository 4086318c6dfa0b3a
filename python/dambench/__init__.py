"""Capacity benchmarks for dense associative memories: the programs `dam` and `ham` as a library::

    import dambench
    measured = dambench.capacity(size=[64, 128], degree=3, alpha=[1, 0.9])   # an xarray.Dataset
    memory = dambench.Memory(patterns, model="dense:3")                      # your own patterns
    recalled = memory.recall(cues)
    network = dambench.Network.read("hn_relu_mnist.toml")                    # hierarchical memories

Numbers equal the programs' bit for bit: same seed, same answer.
"""

from dambench._core import Refused, version as __version__
from dambench._files import open, read_tables
from dambench._memory import Memory, Model, Recalled
from dambench._network import Expression, Network, Trainer
from dambench._sweeps import capacity, curve, fit, theory



def __getattr__(name: str) -> object:
    if name in ("plot_images", "plot_trace"):  # which need matplotlib
        from dambench import _plots

        return getattr(_plots, name)
    raise AttributeError(f"module 'dambench' has no attribute {name!r}")


__all__ = [
    "Expression",
    "Memory",
    "Model",
    "Network",
    "Recalled",
    "Refused",
    "Trainer",
    "__version__",
    "capacity",
    "curve",
    "fit",
    "open",
    "plot_images",
    "plot_trace",
    "read_tables",
    "theory",
]
