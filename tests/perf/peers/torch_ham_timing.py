"""Lines `name milliseconds`: median processor time of a training step (forward, BPTT, AdamW), batch 400, one thread.

usage: torch_ham_timing.py [name …]     names: hn_relu_naive hn_relu_hoisted hn_softmax_hoisted conv_naive; default all
"""
import sys
import time

import torch

import torch_ham as ham

torch.set_num_threads(1)
torch.manual_seed(0)
BATCH = 400
image = torch.rand(BATCH, 784) * (torch.rand(BATCH, 784) < 0.2)
labels = torch.randint(0, 10, (BATCH,))


def zeros(*shape):
    return torch.zeros(BATCH, *shape)


def step_ms(p, probabilities, repeats):
    optimizer = torch.optim.AdamW(p.values(), lr=1e-3, weight_decay=1e-4)
    times = []
    for _ in range(repeats + 1):
        start = time.process_time()
        optimizer.zero_grad(set_to_none=True)
        ham.loss(probabilities(p), labels).backward()
        optimizer.step()
        times.append(1e3 * (time.process_time() - start))
    return sorted(times[1:])[repeats // 2]


def naive(network, states, depth, dt):
    return lambda p: ham.descend(*network, p, states, depth, dt)


def by_hand(softmax):
    return lambda p: ham.hopfield_by_hand(p, image, softmax, 4, 0.4)


vectors = [image, zeros(10)]
images = [image.view(BATCH, 28, 28, 1), zeros(7, 7, 64), zeros(2, 2, 128), zeros(10)]
for name, p, run, repeats in [
    ("hn_relu_naive", ham.parameters(2), naive(ham.hopfield(ham.dense_relu), vectors, 4, 0.4), 6),
    ("hn_relu_hoisted", ham.parameters(2), by_hand(False), 10),
    ("hn_softmax_hoisted", ham.parameters(2, True), by_hand(True), 10),
    ("conv_naive", ham.parameters(4), naive(ham.convolutional(), images, 7, 0.3), 2),
]:
    if name in (sys.argv[1:] or [name]):
        print(name, f"{step_ms(p, run, repeats):.1f}", flush=True)
