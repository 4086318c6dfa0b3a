"""Lines `name milliseconds`: median wall time of a jitted training step in JAX (energies under jax.grad, gradients
through the descent, optax AdamW), batch 400 in single precision, as HAMUX writes it.

usage: jax_ham_timing.py [--threads N] [name …]     names: hn_relu hn_softmax conv hn_cifar conv_cifar; default all
"""
import argparse
import os
import time

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("names", nargs="*")
given = parser.parse_args()
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:given.threads])  # before XLA counts its processors

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402

BATCH = 400


def tanh(x, beta):
    return jnp.sum(jnp.logaddexp(beta * x, -beta * x)) / beta


def softmax(x, beta):
    return jax.scipy.special.logsumexp(beta * x) / beta


def conv(x, kernel, stride, padding):
    y = jax.lax.conv_general_dilated(x[None], kernel, (stride, stride), ((padding, padding), (padding, padding)),
                                     dimension_numbers=("NHWC", "HWIO", "NHWC"))[0]
    return jax.lax.reduce_window(y, -jnp.inf, jax.lax.max, (2, 2, 1), (2, 2, 1), "VALID")


def pooled(kernel, stride, padding):
    """The alignment of a max-pooled convolution with a bias."""
    def alignment(p, x, y):
        return jnp.vdot(conv(x, p[kernel], stride, padding) + p[kernel + "b"], y)
    return alignment


def memories(relu):
    def alignment(p, x, y):
        w0, w1 = p["W0"], p["W1"]
        if not relu:
            w0, w1 = w0 / jnp.linalg.norm(w0, axis=0), w1 / jnp.linalg.norm(w1, axis=0)
        h = jnp.ravel(x) @ w0 + y @ w1
        return jnp.sum(jnp.square(jax.nn.relu(h))) / 2 if relu else softmax(h, p["hidden_beta"])
    return alignment


def network(shapes, lagrangians, connections, depth, dt):
    """p, images, labels to the smoothed cross-entropy of the last layer; layer 0 is clamped."""
    def alignment(g, p):
        return sum(f(p, *(g[i] for i in layers)) for layers, f in connections)

    def activations(x, p):
        return [jax.grad(f)(state, p[f"beta{i}"]) for i, (f, state) in enumerate(zip(lagrangians, x))]

    def probabilities(p, image):
        x = [image] + [jnp.zeros(shape) for shape in shapes[1:]]
        for _ in range(depth):
            forces = jax.grad(alignment)(activations(x, p), p)
            x = [image] + [state + dt * (force - state) for state, force in zip(x[1:], forces[1:])]
        return activations(x, p)[-1]

    def loss(p, images, labels):
        prob = jax.vmap(lambda image: probabilities(p, image))(images)
        classes = shapes[-1][0]
        target = (jax.nn.one_hot(labels, classes) + 0.1 / classes) / 1.1
        return -jnp.mean(jnp.sum(target * jnp.log((prob + 1e-6) / (1 + 1e-6 * classes)), -1))
    return loss


def hopfield(inputs, hidden, relu):
    shapes = [(inputs,), (10,)]
    start = {"W0": (inputs, hidden), "W1": (10, hidden)}
    return network(shapes, [tanh, softmax], [((0, 1), memories(relu))], 4, 0.4), shapes, start


def convolutional(side, channels, low, high, low_channels, high_channels):
    shapes = [(side, side, channels), (low, low, low_channels), (high, high, high_channels), (10,)]
    start = {"K1": (4, 4, channels, low_channels), "K1b": (low_channels,), "K2": (3, 3, low_channels, high_channels),
             "K2b": (high_channels,), "W0": (high * high * high_channels, 1000), "W1": (10, 1000)}
    links = [((0, 1), pooled("K1", 2, 2)), ((1, 2), pooled("K2", 1, 0)), ((2, 3), memories(True))]
    return network(shapes, [tanh, tanh, tanh, softmax], links, 7, 0.3), shapes, start


def step_ms(loss, shapes, start, repeats):
    keys = iter(jax.random.split(jax.random.PRNGKey(0), 32))
    p = {name: 0.02 * jax.random.normal(next(keys), shape) for name, shape in start.items()}
    p |= {f"beta{i}": jnp.float32(1) for i in range(len(shapes))} | {"hidden_beta": jnp.float32(1)}
    images = jax.random.uniform(next(keys), (BATCH, *shapes[0]))
    images = images * (jax.random.uniform(next(keys), images.shape) < 0.2)
    labels = jax.random.randint(next(keys), (BATCH,), 0, 10)
    optimizer = optax.adamw(1e-3, weight_decay=1e-4)

    @jax.jit
    def step(p, state):
        value, gradient = jax.value_and_grad(loss)(p, images, labels)
        updates, state = optimizer.update(gradient, state, p)
        return optax.apply_updates(p, updates), state, value

    state, times = optimizer.init(p), []
    for _ in range(repeats + 2):
        begin = time.perf_counter()
        p, state, value = step(p, state)
        value.block_until_ready()
        jax.block_until_ready(p)
        times.append(1e3 * (time.perf_counter() - begin))
    return sorted(times[2:])[repeats // 2]


for name, made, repeats in [
    ("hn_relu", hopfield(784, 1000, True), 20),
    ("hn_softmax", hopfield(784, 1000, False), 20),
    ("conv", convolutional(28, 1, 7, 2, 64, 128), 3),
    ("hn_cifar", hopfield(3072, 6000, True), 5),
    ("conv_cifar", convolutional(32, 3, 8, 3, 90, 180), 3),
]:
    if name in (given.names or [name]):
        print(name, f"{step_ms(*made, repeats):.1f}", flush=True)
