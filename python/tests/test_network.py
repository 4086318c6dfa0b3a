"""ham from Python: the engine's numbers, networks built here, gradients, training."""

import os
import xml.etree.ElementTree

import numpy as np
import pytest

import dambench

MODELS = os.environ.get("DAMBENCH_MODELS", "")
DIGITS = os.environ.get("DAMBENCH_DIGITS", "")


def pair():
    network = dambench.Network("pair", depth=4, time_step=0.3, clamped=["a"], readout="b")
    network.add_layer("a", 6, "tanh").add_layer("b", 4, "softmax")
    return network.add_synapse(lambda g, W: ((g[0] @ W) * g[1]).sum(), ["a", "b"], name="s", parameters={"W": [6, 4]})


def test_an_energy_written_here(random):
    network = pair().initialize(3)
    W = network.parameters["s.W"]
    assert W.shape == (6, 4)
    a, b = random.normal(size=(5, 6)), random.normal(size=(5, 4))
    found = network.evaluate({"a": a, "b": b})
    ga = np.tanh(a)
    gb = np.exp(b) / np.exp(b).sum(1, keepdims=True)
    alignment = ((ga @ W) * gb).sum(1)
    np.testing.assert_allclose(found["activations"]["b"], gb, rtol=1e-12)
    np.testing.assert_allclose(found["connections"]["s"], -alignment, rtol=1e-12)
    layer_a = (a * ga).sum(1) - np.log(np.cosh(a)).sum(1)
    layer_b = (b * gb).sum(1) - np.log(np.exp(b).sum(1))
    np.testing.assert_allclose(found["energy"], layer_a + layer_b - alignment, rtol=1e-10)
    np.testing.assert_allclose(network.forces({"a": a, "b": b})["b"], ga @ W - b, rtol=1e-10)


def test_writing_into_parameters_changes_the_network(random):
    network = pair()
    a = random.normal(size=(2, 6))
    before = network.respond({"a": a})
    network.parameters["s.W"][...] *= 5
    assert not np.allclose(before, network.respond({"a": a}))
    with pytest.raises(KeyError, match="s.W"):
        network.set_parameters({"nonsense": 1})
    with pytest.raises(ValueError, match="shape"):
        network.set_parameters({"s.W": np.zeros((4, 6))})


def test_a_descent_is_euler_and_energies_fall(random):
    network = pair().initialize(1)
    W = network.parameters["s.W"]
    W *= 20
    a = random.normal(size=(3, 6))
    found = network.descend({"a": a}, 6, 0.2, trace=True)
    b = np.zeros((3, 4))
    for step in range(7):
        np.testing.assert_allclose(found["trace"]["b"][step], b, rtol=1e-12, atol=1e-12)
        b = b + 0.2 * (np.tanh(a) @ W - b)
    assert found["energies"].shape == (7, 3)
    assert (np.diff(found["energies"], axis=0) < 0).all()
    np.testing.assert_array_equal(found["states"]["a"], a)


def test_gradients_are_differences(random):
    network = pair().initialize(2)
    a, c = random.normal(size=(3, 6)), random.normal(size=(3, 4))
    found = network.gradient({"a": a}, c)
    np.testing.assert_allclose(found["output"], network.respond({"a": a}), rtol=1e-12)
    W = network.parameters["s.W"]
    for place in [(0, 0), (5, 3), (2, 1)]:
        kept, h = W[place], 1e-6
        W[place] = kept + h
        up = (network.respond({"a": a}) * c).sum()
        W[place] = kept - h
        down = (network.respond({"a": a}) * c).sum()
        W[place] = kept
        assert found["parameters"]["s.W"][place] == pytest.approx((up - down) / 2 / h, rel=1e-5, abs=1e-9)
    h = 1e-6
    moved = a.copy()
    moved[1, 3] += h
    difference = ((network.respond({"a": moved}) - network.respond({"a": a})) * c).sum() / h
    assert found["states"]["a"][1, 3] == pytest.approx(difference, rel=1e-4, abs=1e-8)


def test_a_descent_without_a_floor_says_so():
    network = dambench.Network("open", depth=2000, time_step=0.5)
    network.add_layer("a", 3, "identity")
    network.add_synapse(lambda g: 2 * (g[0] * g[0]).sum(), ["a"])
    with pytest.raises(RuntimeError, match="floor|finite"):
        network.descend({"a": np.ones((1, 3))})


@pytest.mark.skipif(not MODELS or not DIGITS, reason="needs the repository's models and digits")
def test_training_is_the_programs(ham, tmp_path):
    model = os.path.join(MODELS, "hn_relu_mnist.toml")
    ham("train", "--model", model, "--data", DIGITS, "--epochs", "2", "--batch", "50", "--seed", "5", "--threads", "1",
        "--out", tmp_path / "run.h5", "--quiet")
    trainer = dambench.Trainer(model, DIGITS, epochs=2, batch=50, seed=5, threads=2)
    seen = []
    trainer.fit(callback=lambda row: seen.append(row["epoch"]))
    assert seen == [1, 2]
    epochs = dambench.open(tmp_path / "run.h5")
    np.testing.assert_array_equal(trainer.history["loss"], epochs["train_loss"].values if "train_loss" in epochs else epochs["loss"].values)
    program = dambench.Network.read(tmp_path / "run.h5")
    for name, array in trainer.network.parameters.items():
        np.testing.assert_array_equal(array, program.parameters[name])
    trainer.network.write(tmp_path / "mine.safetensors")
    again = dambench.Network.read(tmp_path / "mine.safetensors")
    np.testing.assert_array_equal(again._flat(), trainer.network._flat())
    text = ham("eval", tmp_path / "mine.safetensors", "--data", DIGITS)
    assert f"{100 * trainer.history['test_accuracy'].max():.2f}" in text


@pytest.mark.skipif(not MODELS or not DIGITS, reason="needs the repository's models and digits")
def test_training_from_arrays(random):
    images = random.integers(0, 256, (300, 28, 28)).astype(np.uint8)
    labels = np.arange(300) % 10
    images[:, 0, :] = (labels * 25)[:, None]
    trainer = dambench.Trainer(os.path.join(MODELS, "hn_relu_mnist.toml"), {"images": images, "labels": labels}, epochs=1, batch=50)
    trainer.fit()
    assert np.isfinite(trainer.history["loss"]).all()


def test_wrong_networks_are_refused_in_one_line():
    network = dambench.Network("wrong").add_layer("a", 6, "tan")
    with pytest.raises(ValueError) as error:
        network.layers
    assert "\n" not in str(error.value) and "tan" in str(error.value)
    with pytest.raises(KeyError, match="is no layer"):
        pair().energy({"c": np.zeros((1, 2))})
    with pytest.raises(TypeError, match="Expression"):
        pair().add_synapse(lambda g: 3, ["a", "b"])
    with pytest.raises(ValueError, match="floor|nonsense"):
        dambench.Trainer(pair(), {"images": np.zeros((10, 2, 3)), "labels": np.arange(10)}, nonsense=3)


def test_a_synapse_that_connects_twice_has_two_energies(random):
    network = dambench.Network("twice", clamped=["a"], readout="b").add_layer("a", 3).add_layer("b", 3)
    network.add_synapse("bias", [["a"], ["b"]], name="bias")
    a, b = random.normal(size=(2, 4, 3))
    found = network.evaluate({"a": a, "b": b})["connections"]
    force = network.parameters["bias.b"]
    np.testing.assert_allclose(found["bias(a)"], -a @ force, rtol=1e-12)
    np.testing.assert_allclose(found["bias(b)"], -b @ force, rtol=1e-12)


def test_a_notebook_shows_the_hypergraph():
    network = dambench.Network("<three>", clamped=["a"], readout="c")
    network.add_layer("a", [4, 4, 2]).add_layer("b", 6, "relu").add_layer("c", 3, "softmax")
    network.add_synapse("dense", ["a", "b", "c"], name="all").add_synapse("dense", ["b", "c"], name="two")
    shown = xml.etree.ElementTree.fromstring(f"<p>{network._repr_html_()}</p>")
    texts = [one.text for one in shown.iter("text")]
    assert texts == ["all", "two", "a", "4×4×2", "b", "6", "c", "3"]
    assert len(list(shown.iter("path"))) == 3 + 2
    assert shown.find("b").text == "<three>"
