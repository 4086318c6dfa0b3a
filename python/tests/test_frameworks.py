"""A network as a layer of PyTorch and JAX: the same numbers, and gradients against both frameworks' own."""

import numpy as np
import pytest

import dambench


def pair():
    network = dambench.Network("pair", depth=5, time_step=0.3, clamped=["a"], readout="b")
    network.add_layer("a", 6, "tanh").add_layer("b", 4, "softmax")
    network.add_synapse(lambda g, W: ((g[0] @ W) * g[1]).sum(), ["a", "b"], name="s", parameters={"W": [6, 4]}).initialize(3)
    network.parameters["s.W"][...] *= 30
    return network


def test_torch(random):
    torch = pytest.importorskip("torch")
    from dambench.torch import HAM

    network = pair()
    module = HAM(network)
    a = torch.from_numpy(random.normal(size=(3, 6))).requires_grad_()
    c = torch.from_numpy(random.normal(size=(3, 4)))
    output = module(a=a)
    np.testing.assert_array_equal(output.detach().numpy(), network.respond({"a": a.detach().numpy()}))
    (output * c).sum().backward()

    # The same descent in the framework's own operations.
    W = torch.from_numpy(network.parameters["s.W"].copy()).requires_grad_()
    theirs = torch.from_numpy(a.detach().numpy().copy()).requires_grad_()
    b = torch.zeros(3, 4, dtype=torch.float64)
    for _ in range(5):
        b = b + 0.3 * (torch.tanh(theirs) @ W - b)
    expected = torch.softmax(b, 1)
    (expected * c).sum().backward()
    np.testing.assert_allclose(output.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(module.s__W.grad.numpy(), W.grad.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(a.grad.numpy(), theirs.grad.numpy(), rtol=1e-9, atol=1e-12)
    assert torch.autograd.gradcheck(lambda x: module(a=x), (a.detach().requires_grad_(),), eps=1e-6, atol=1e-6)

    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    before = (module(a=a.detach()) * c).sum().item()
    for _ in range(20):
        optimizer.zero_grad()
        (module(a=a.detach()) * c).sum().backward()
        optimizer.step()
    assert (module(a=a.detach()) * c).sum().item() < before
    learned = module.network()
    np.testing.assert_array_equal(learned.parameters["s.W"], module.s__W.detach().numpy())
    with pytest.raises(KeyError, match="no layer"):
        module(c=a)


@pytest.fixture
def jax():
    """JAX in double precision, as it was afterwards."""
    found = pytest.importorskip("jax")
    before = found.config.jax_enable_x64
    found.config.update("jax_enable_x64", True)
    yield found
    found.config.update("jax_enable_x64", before)


def test_jax(jax, random):
    import jax.numpy as jnp

    from dambench.jax import respond

    network = pair()
    function = respond(network)
    parameters = {name: jnp.asarray(array) for name, array in network.parameters.items()}
    a, c = random.normal(size=(3, 6)), random.normal(size=(3, 4))
    states = {name: jnp.asarray(array) for name, array in network.states(a=a).items()}

    def own(p, s):
        b = s["b"]
        for _ in range(5):
            b = b + 0.3 * (jnp.tanh(s["a"]) @ p["s.W"] - b)
        return jax.nn.softmax(b)

    np.testing.assert_allclose(jax.jit(function)(parameters, states), own(parameters, states), rtol=1e-12)
    mine = jax.jit(jax.grad(lambda p, s: (function(p, s) * c).sum(), (0, 1)))(parameters, states)
    theirs = jax.grad(lambda p, s: (own(p, s) * c).sum(), (0, 1))(parameters, states)
    np.testing.assert_allclose(mine[0]["s.W"], theirs[0]["s.W"], rtol=1e-9, atol=1e-12)
    for layer in ("a", "b"):
        np.testing.assert_allclose(mine[1][layer], theirs[1][layer], rtol=1e-9, atol=1e-12)
    with pytest.raises(KeyError, match="layers"):
        function(parameters, {"c": a})
