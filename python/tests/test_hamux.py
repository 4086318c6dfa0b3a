"""Memories written with HAMUX have the same energies here, term by term."""

import functools
import pathlib
import re

import numpy as np
import pytest

import dambench
import dambench.hamux

hmx = pytest.importorskip("hamux")
jax = pytest.importorskip("jax")

ELEMENTWISE = [
    hmx.lagr_identity,
    hmx.lagr_relu,
    functools.partial(hmx.lagr_repu, n=3),
    functools.partial(hmx.lagr_exp, beta=0.5),
    functools.partial(hmx.lagr_rexp, beta=0.7),
    functools.partial(hmx.lagr_tanh, beta=2.0),
    functools.partial(hmx.lagr_sigmoid, beta=1.5),
]
WHOLE = [
    functools.partial(hmx.lagr_softmax, beta=3.0),
    functools.partial(hmx.lagr_layernorm, gamma=1.5, delta=0.25),
    hmx.lagr_spherical_norm,
]


def hypergraph(seed):
    """Three to five layers, flat ones and two images, every kind of synapse, one of them shared by two connections."""
    random = np.random.default_rng(seed)
    pick = lambda choices: choices[random.integers(len(choices))]
    neurons = {}
    for number in range(random.integers(2, 5)):
        neurons[f"flat{number}"] = hmx.NeuronLayer(pick(ELEMENTWISE + WHOLE), (int(random.integers(2, 9)),))
    channels, length = int(random.integers(1, 4)), int(random.integers(5, 9))
    stride, padding = [(1, "SAME"), (1, "VALID"), (2, "VALID")][random.integers(3)]
    after = -(-length // stride) if padding == "SAME" else (length - 3) // stride + 1
    neurons["image"] = hmx.NeuronLayer(pick(ELEMENTWISE), (length, length, channels))
    neurons["features"] = hmx.NeuronLayer(pick(ELEMENTWISE), (after, after, 4))
    keys = iter(jax.random.split(jax.random.key(seed), 50))
    synapses, connections = {}, []
    flat = [name for name in neurons if name.startswith("flat")]
    for number in range(random.integers(1, 5)):
        a, b = random.choice(flat, 2, replace=False)
        kind = pick([hmx.LinearSynapse, hmx.LinearSynapseWithBias])
        synapse = kind.rand_init(next(keys), neurons[a].shape[0], neurons[b].shape[0])
        synapses[f"s{number}"] = jax.tree_util.tree_map(lambda array: 20 * array, synapse)
        connections.append(((str(a), str(b)), f"s{number}"))
        if neurons[a].shape == neurons[b].shape:
            connections.append(((str(b), str(a)), f"s{number}"))
    twin = str(random.choice(flat))
    neurons["twin"] = hmx.NeuronLayer(pick(ELEMENTWISE), neurons[twin].shape)
    synapses["bias"] = hmx.BiasSynapse(jax.random.normal(next(keys), neurons[twin].shape))
    connections += [((twin,), "bias"), (("twin",), "bias")]
    synapses["conv"] = hmx.ConvSynapse.from_conv_params(next(keys), 4, channels, (3, 3), (stride, stride), padding, 0.1, 0.5)
    connections.append((("image", "features"), "conv"))
    return hmx.HAM(neurons, synapses, connections)


@pytest.mark.parametrize("seed", range(10))
def test_random_hypergraphs_have_the_same_energies_and_forces(seed):
    ham = hypergraph(seed)
    network = dambench.hamux.network(ham)
    random = np.random.default_rng(100 + seed)
    batch = 4
    states = {name: random.normal(size=(batch, *layer.shape)).astype(np.float32) for name, layer in ham.neurons.items()}
    vectorized = ham.vectorize()

    @jax.jit
    def theirs(states):
        activations = vectorized.activations(states)
        move = lambda _, xs: jax.tree.map(lambda x, slope: x - 0.02 * slope, xs, vectorized.dEdact(vectorized.activations(xs), xs))
        return (
            activations,
            vectorized.energy_tree(activations, states),
            vectorized.energy(activations, states),
            vectorized.dEdact(activations, states),
            jax.lax.fori_loop(0, 5, move, states),
        )

    activations, tree, energy, gradients, moved = theirs(states)
    mine = network.evaluate(states)

    # To 1e-6 of the terms that single precision sums up.
    scale = sum(np.abs(np.asarray(one)) for one in [*tree["neurons"].values(), *tree["connections"]])
    scale = scale + sum((np.abs(states[name] * np.asarray(activations[name])).reshape(batch, -1).sum(1)) for name in states)
    assert (np.abs(mine["energy"] - np.asarray(energy)) <= 1e-6 * scale).all()
    for name in states:
        np.testing.assert_allclose(mine["activations"][name], activations[name], rtol=1e-5, atol=1e-5)
        assert (np.abs(mine["layers"][name] - np.asarray(tree["neurons"][name])) <= 1e-6 * scale).all()
    length = np.sqrt(sum((np.asarray(one) ** 2).sum() for one in gradients.values()))
    for name in states:
        np.testing.assert_allclose(mine["gradients"][name], gradients[name], rtol=0, atol=1e-6 * length)

    # A few steps of HAMUX's loop are ours.
    descent = network.descend(states, depth=5, time_step=0.02)["states"]
    for name in states:
        np.testing.assert_allclose(descent[name], moved[name], rtol=1e-4, atol=1e-4)


def pair(lagrangian=hmx.lagr_tanh, synapse=None):
    synapse = synapse or hmx.LinearSynapse.rand_init(jax.random.key(1), 6, 4)
    return hmx.HAM(
        {"a": hmx.NeuronLayer(hmx.lagr_identity, (6,)), "b": hmx.NeuronLayer(lagrangian, (4,))},
        {"s": synapse},
        [(("a", "b"), "s")],
    )


def test_own_functions_are_said_and_checked():
    own = lambda x: hmx.lagr_softmax(x, beta=2.0)
    with pytest.raises(ValueError, match="layer b: its Lagrangian <lambda> is none of lagr_identity.*lagrangians="):
        dambench.hamux.network(pair(own))
    dambench.hamux.network(pair(own), lagrangians={"b": {"kind": "softmax", "beta": 2.0, "learned": False}})
    with pytest.raises(ValueError, match="layer b: has energy"):
        dambench.hamux.network(pair(own), lagrangians={"b": {"kind": "softmax", "beta": 3.0}})

    import equinox

    class Squared(equinox.Module):
        W: jax.Array

        def __call__(self, a, b):
            return -(jax.numpy.dot(a @ self.W, b) ** 2)

    ham = pair(synapse=Squared(jax.random.normal(jax.random.key(2), (6, 4))))
    with pytest.raises(ValueError, match="synapse s: Squared is none of HAMUX's own; write its alignment"):
        dambench.hamux.network(ham)
    alignment = lambda g, W: dambench.Expression.call("power", ((g[0] @ W) * g[1]).sum(), 2)
    dambench.hamux.network(ham, synapses={"s": alignment})
    with pytest.raises(ValueError, match="synapse s: has energy"):
        dambench.hamux.network(ham, synapses={"s": lambda g, W: ((g[0] @ W) * g[1]).sum()})
    with pytest.raises(KeyError, match="lagrangians: c is not there"):
        dambench.hamux.network(pair(), lagrangians={"c": "relu"})


@pytest.mark.parametrize(
    "lagrangian, message",
    [
        (hmx.lagr_ghostmax, "layer b: its Lagrangian lagr_ghostmax is none of"),
        (functools.partial(hmx.lagr_repu, n=2.5), "layer b: n = 2.5 of lagr_repu is no integer"),
        (functools.partial(hmx.lagr_spherical_norm, gamma=2.0), "layer b: lagr_spherical_norm with gamma has no counterpart"),
        (functools.partial(hmx.lagr_layernorm, delta=np.ones(4)), "layer b: delta of lagr_layernorm is an array"),
    ],
)
def test_what_cannot_be_expressed_is_refused(lagrangian, message):
    with pytest.raises(ValueError, match=message):
        dambench.hamux.network(pair(lagrangian))


def test_padding_of_two_unlike_sides_is_refused():
    conv = hmx.ConvSynapse.from_conv_params(jax.random.key(1), 2, 1, (2, 2), (1, 1), "SAME")
    ham = hmx.HAM(
        {"a": hmx.NeuronLayer(hmx.lagr_relu, (6, 6, 1)), "b": hmx.NeuronLayer(hmx.lagr_relu, (6, 6, 2))},
        {"c": conv},
        [(("a", "b"), "c")],
    )
    with pytest.raises(ValueError, match="synapse c: padding 'SAME' adds 1 zeros to an axis of 6"):
        dambench.hamux.network(ham)


def test_the_page_runs():
    """Both columns of HAMUX.md, which stand for the same numbers."""
    page = (pathlib.Path(__file__).parents[1] / "HAMUX.md").read_text(encoding="utf-8")
    names: dict = {}
    examples = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(examples) >= 3
    for example in examples:
        exec(compile(example, "HAMUX.md", "exec"), names)
