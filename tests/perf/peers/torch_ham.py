"""Hierarchical associative memories in PyTorch, to time against: every force by autograd of the energy at every step (the
way HAMUX writes them), and by hand with everything that the clamped image feeds computed once."""
import math

import torch
import torch.nn.functional as F


def per_sample(t):
    return t.flatten(1).sum(1)


def softmax_lagrangian(x, beta):
    return torch.logsumexp(beta * x, -1) / beta


def unit_columns(w):
    return w / (w * w).sum(0, keepdim=True).sqrt()


# ---- alignments: (parameters, activations) -> one number per sample


def dense_relu(p, gs):
    h = sum(g.flatten(1) @ p[f"W{i}"] for i, g in enumerate(gs))
    return per_sample(h.clamp(min=0) ** 2 / 2)


def dense_softmax(p, gs):
    h = sum(g.flatten(1) @ unit_columns(p[f"W{i}"]) for i, g in enumerate(gs))
    return softmax_lagrangian(h, p["beta_hid"])


def conv_max(stride, padding):
    def alignment(p, gs):
        image = gs[0].permute(0, 3, 1, 2)
        out = F.max_pool2d(F.conv2d(image, p["K"].permute(3, 2, 0, 1), p["b"], stride, padding), 2, 2)
        return per_sample(out.permute(0, 2, 3, 1) * gs[1])
    return alignment


# ---- a network: layer kinds, and (alignment, parameter prefix, layers) per connection


def activation(kind, x, beta):
    return torch.tanh(beta * x) if kind == "tanh" else torch.softmax(beta * x, -1)


def forces(kinds, connections, p, xs):
    """Activations and the derivatives of the alignments by them."""
    gs = [activation(k, x, p[f"l{i}.beta"]) for i, (k, x) in enumerate(zip(kinds, xs))]
    total = 0
    for alignment, prefix, layers in connections:
        own = {name[len(prefix) + 1:]: v for name, v in p.items() if name.startswith(prefix + ".")}
        total = total + alignment(own, [gs[i] for i in layers]).sum()
    return torch.autograd.grad(total, gs, create_graph=True)


def descend(kinds, connections, p, xs, depth, dt):
    """Layer 0 stays clamped; returns the last layer's activation."""
    for _ in range(depth):
        pull = forces(kinds, connections, p, xs)
        xs = [xs[0]] + [x + dt * (f - x) for x, f in zip(xs[1:], pull[1:])]
    return activation(kinds[-1], xs[-1], p[f"l{len(xs) - 1}.beta"])


def hopfield(alignment):
    return ["tanh", "softmax"], [(alignment, "s0", (0, 1))]


def convolutional():
    return ["tanh", "tanh", "tanh", "softmax"], [(conv_max(2, 2), "s0", (0, 1)), (conv_max(1, 0), "s1", (1, 2)),
                                                 (dense_relu, "s2", (2, 3))]


# ---- by hand


def hopfield_by_hand(p, x, softmax, depth, dt):
    w0, w1 = p["s0.W0"], p["s0.W1"]
    if softmax:
        w0, w1 = unit_columns(w0), unit_columns(w1)
    from_image = torch.tanh(p["l0.beta"] * x) @ w0
    label = x.new_zeros(x.shape[0], w1.shape[0])
    for _ in range(depth):
        h = from_image + torch.softmax(p["l1.beta"] * label, -1) @ w1
        f = torch.softmax(p["s0.beta_hid"] * h, -1) if softmax else h.clamp(min=0)
        label = label + dt * (f @ w1.t() - label)
    return torch.softmax(p["l1.beta"] * label, -1)


# ---- parameters and loss


def normal(*shape, sd=0.02):
    return (torch.randn(shape) * sd).requires_grad_()


def parameters(layers, softmax=False):
    p = {f"l{i}.beta": torch.ones((), requires_grad=True) for i in range(layers)}
    if layers == 2:
        p |= {"s0.W0": normal(784, 1000), "s0.W1": normal(10, 1000)}
        if softmax:
            p["s0.beta_hid"] = torch.ones((), requires_grad=True)
    else:
        p |= {"s0.K": normal(4, 4, 1, 64, sd=math.sqrt(1 / 16)), "s0.b": torch.zeros(64, requires_grad=True),
              "s1.K": normal(3, 3, 64, 128, sd=math.sqrt(1 / 576)), "s1.b": torch.zeros(128, requires_grad=True),
              "s2.W0": normal(512, 1000), "s2.W1": normal(10, 1000)}
    return p


def loss(probabilities, labels):
    n = probabilities.shape[-1]
    target = (F.one_hot(labels, n) + 0.1 / n) / 1.1
    return -(target * torch.log((probabilities + 1e-6) / (1 + 1e-6 * n))).sum(-1).mean()
