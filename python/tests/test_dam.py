"""dam from Python: the program's numbers, bit for bit."""

import concurrent.futures
import os
import re
import signal
import sys
import threading
import time

import numpy as np
import pytest
import xarray as xr

import dambench


def same_columns(dataset, file, table):
    """Every column but times equals the file's."""
    theirs = dambench.open(file, table)
    assert set(dataset.data_vars) == set(theirs.data_vars)
    for name in dataset.data_vars:
        if name != "seconds":
            xr.testing.assert_equal(dataset[name], theirs[name])


def test_capacity_is_the_programs(dam, tmp_path):
    out = tmp_path / "program.h5"
    dam("capacity", "--size", "16,33", "--degree", "2,3", "--alpha", "1,0.9", "--precision", "0.1", "--seed", "7", "--out", out)
    mine = dambench.capacity([16, 33], [2, 3], alpha=[1, 0.9], precision=0.1, seed=7)
    same_columns(mine, out, "capacity")
    assert mine.sizes["row"] == 8
    assert mine.k_max.attrs["units"] == "patterns"
    assert mine.attrs["complete"] == 1


def test_curve_is_the_programs_and_goes_on_in_a_file(dam, tmp_path):
    out = tmp_path / "program.h5"
    dam("curve", "--size", "24", "--model", "exponential:0.5", "--alpha", "0.9", "--num-patterns", "4:64:x2", "--trials", "640", "--out", out)
    kept = tmp_path / "mine.h5"
    mine = dambench.curve(24, model=dambench.Model(separation="exp:0.5"), alpha=0.9, num_patterns="4:64:x2", trials=640, out=kept)
    same_columns(mine, out, "points")
    again = dambench.curve(24, model="exponential:0.5", alpha=0.9, num_patterns=[4, 8, 16, 32, 64], trials=640, out=kept)
    xr.testing.assert_equal(mine.drop_vars("seconds"), again.drop_vars("seconds"))
    with pytest.raises(dambench.Refused, match="seed"):
        dambench.curve(24, model="exponential:0.5", alpha=0.9, num_patterns="4:64:x2", trials=640, seed=2, out=kept)
    same_columns(mine, kept, "points")


def test_shards_on_an_executor_are_the_whole():
    grid = dict(size=[12, 20, 28], degree=[2, 3], precision=0.1)
    whole = dambench.capacity(**grid)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        parts = dambench.capacity(**grid, executor=pool, shards=3)
    # How far memory would have let a search go may differ from run to run.
    leave = ["seconds", "max_patterns"]
    xr.testing.assert_equal(whole.drop_vars(leave), parts.drop_vars(leave))


def test_an_open_file_is_read_when_it_is_used(tmp_path):
    out = tmp_path / "curve.h5"
    dambench.curve(size=16, degree=[2, 3], num_patterns=[2, 4], trials=64, out=out)
    for table, whole in dambench.read_tables(out).items():
        opened = dambench.open(out, table)
        assert not any(column.variable._in_memory for column in opened.data_vars.values())
        xr.testing.assert_identical(opened, whole)
        assert {name: column.dtype for name, column in opened.items()} == {name: column.dtype for name, column in whole.items()}
    # Another run may go on with the file meanwhile; what is open stays what it was.
    opened = dambench.open(out, "points")
    dambench.curve(size=16, degree=[2, 3], num_patterns=[2, 4], trials=64, out=out)
    xr.testing.assert_identical(opened, whole if table == "points" else dambench.read_tables(out)["points"])


@pytest.mark.parametrize("tqdm", [True, False])
def test_progress_is_shown_to_who_can_see_it(tqdm, capfd, monkeypatch, tmp_path):
    if tqdm:
        pytest.importorskip("tqdm")
    else:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    grid = dict(size=[20, 40], degree=3, precision=0.05, out=tmp_path / "kept.h5")
    dambench.capacity(**grid)
    assert capfd.readouterr() == ("", "")  # nobody sees it: no terminal
    dambench.capacity(**grid, progress=True)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert f"continuing {grid['out']}" in shown.err
    dambench.capacity(size=40, degree=3, precision=0.03, progress=True)
    assert re.search(r"capacity 0/1 done, round 1 \| batch .* left", capfd.readouterr().err)


def test_shards_on_a_dask_cluster_are_the_whole():
    distributed = pytest.importorskip("distributed")
    grid = dict(size=[12, 20], degree=3, precision=0.1)
    whole = dambench.capacity(**grid)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            parts = dambench.capacity(**grid, executor=client.get_executor(), shards=2)
    leave = ["seconds", "max_patterns"]
    xr.testing.assert_equal(whole.drop_vars(leave), parts.drop_vars(leave))


class Never(concurrent.futures.Executor):
    """Measures for nobody."""

    def submit(self, *args, **kwargs):
        raise AssertionError("measured for a file that would be refused")


def others_files(folder):
    """Outputs that a sweep of its own patterns must not have, and what stands behind them."""
    other, text, mine = folder / "other.h5", folder / "notes.h5", folder / "mine.npy"
    dambench.curve(size=16, degree=2, num_patterns=[2], trials=32, out=other)
    text.write_text("not measurements")
    np.save(mine, np.where(np.random.default_rng(1).random((40, 12)) < 0.5, -1, 1))
    link = folder / "link.h5"
    link.symlink_to(other)
    (folder / "folder.h5").mkdir()
    fifo = folder / "fifo.h5"
    os.mkfifo(fifo)
    return [other, text, mine, link, folder / "folder.h5", fifo, "/dev/null", folder / "missing" / "a.h5", folder / "a.csv"], mine


@pytest.mark.parametrize("executor", [None, Never()])
def test_what_is_not_its_own_output_is_refused_and_stays(executor, tmp_path):
    outputs, mine = others_files(tmp_path)
    files = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    kinds = {path: path.lstat().st_mode for path in tmp_path.iterdir()}
    for out in outputs:
        with pytest.raises((ValueError, RuntimeError, FileNotFoundError)) as refusal:
            dambench.capacity(size=12, degree=2, precision=0.1, patterns=f"file:{mine}", out=out, executor=executor)
        assert "\n" not in str(refusal.value).split(":\n")[0]
    assert {path: path.read_bytes() for path in files} == files
    assert {path: path.lstat().st_mode for path in kinds} == kinds
    # A link that dangles makes its target.
    (tmp_path / "dangling.h5").symlink_to(tmp_path / "target.h5")
    if executor is None:
        dambench.curve(size=12, degree=2, num_patterns=[2], trials=32, out=tmp_path / "dangling.h5")
        assert (tmp_path / "target.h5").exists() and (tmp_path / "dangling.h5").is_symlink()

def test_threads_and_kernels_do_not_change_a_number():
    grid = dict(size=40, degree=3, alpha=0.9, num_patterns=[50, 100], trials=320)
    one = dambench.curve(**grid, threads=1)
    other = dambench.curve(**grid, threads=2, kernel="reference")
    xr.testing.assert_equal(one.drop_vars("seconds"), other.drop_vars("seconds"))


def test_ctrl_c_returns_what_is_there(tmp_path):
    out = tmp_path / "kept.h5"
    sent = []

    def interrupt_when_something_is_there():
        while not out.exists() or dambench.open(out, "points").sizes["row"] == 0:
            time.sleep(0.05)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt_when_something_is_there)
    thread.start()
    with pytest.warns(RuntimeWarning, match="stopped early"):
        part = dambench.curve([16, 256], 4, num_patterns=[100, 10_000], trials=10**6, save_every="0.01s", out=out)
    assert time.monotonic() - sent[0] < 5  # within a second where nothing else runs
    thread.join()
    assert part.attrs["complete"] == 0
    assert (part.trials > 0).any()
    with pytest.raises(KeyboardInterrupt):  # Python's own handler is back
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)


def test_recall_is_the_programs(dam, signs, tmp_path):
    patterns, cues = signs(60, 50), signs(40, 50)
    cues[:20] = patterns[:20]
    cues[:20, :5] *= -1
    np.save(tmp_path / "p.npy", patterns)
    np.save(tmp_path / "c.npy", cues)
    for options in ({}, {"order": "sequential", "tie": "random", "seed": 3}, {"rule": "energy", "order": "replacement"}):
        out = tmp_path / f"{len(options)}-{options.get('rule')}.h5"
        words = [word for key, value in options.items() for word in (f"--{key}", value)]
        dam("recall", "--patterns", tmp_path / "p.npy", "--cues", tmp_path / "c.npy", "--model", "dense:3", "--out", out, *words)
        mine = dambench.Memory(patterns, "dense:3").recall(cues, **options)
        with xr.open_dataset(out, group="recall", engine="h5netcdf", phony_dims="access") as theirs:
            for name in ("passes", "flips", "ties", "energy_rises", "nearest_pattern", "energy_before", "energy_after"):
                np.testing.assert_array_equal(getattr(mine, name), theirs[name].values)
        with xr.open_dataset(out, engine="h5netcdf", phony_dims="access") as theirs:
            np.testing.assert_array_equal(mine.states, theirs["states"].values)
    assert mine.complete


def test_what_a_memory_keeps_between_recalls_changes_no_answer(signs):
    patterns, cues = signs(60, 40), signs(30, 40)
    memory = dambench.Memory(patterns, model="dense:3")
    ways = [dict(seed=3), dict(seed=3, rule="energy"), dict(seed=4, order="synchronous"), dict(seed=3), dict(seed=3, threads=1)]
    for way in [*ways, *ways]:
        fresh = dambench.Memory(patterns, model="dense:3").recall(cues, **way)
        np.testing.assert_array_equal(memory.recall(cues, **way).states, fresh.states)
    # Hebbian couplings stand for the patterns where there are more patterns than neurons.
    hebbian = dambench.Memory(patterns, model="hopfield")
    first = hebbian.recall(np.repeat(cues, 40, 0), seed=5)
    np.testing.assert_array_equal(hebbian.recall(np.repeat(cues, 40, 0), seed=5).states, first.states)
    np.testing.assert_array_equal(hebbian.recall(cues[:1], seed=5).states, first.states[:1])
    # Several threads of Python at once.
    expected = memory.recall(cues, seed=9).states
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for states in pool.map(lambda _: memory.recall(cues, seed=9, threads=1).states, range(40)):
            np.testing.assert_array_equal(states, expected)


def test_energy_and_field_are_the_formulas(signs):
    patterns, states = signs(30, 41), signs(7, 41)
    memory = dambench.Memory(patterns, "dense:3")
    m = states.astype(np.int64) @ patterns.T.astype(np.int64)
    np.testing.assert_array_equal(memory.overlaps(states), m / 41)
    np.testing.assert_allclose(memory.energy(states), -(m.astype(float) ** 3 / 3).sum(1), rtol=1e-14)
    # sum over patterns of xi_i f(m - xi_i sigma_i), f(x) = x^2
    others = m[:, :, None] - patterns[None].astype(np.int64) * states[:, None, :]
    h = (patterns[None] * others**2).sum(1)
    np.testing.assert_array_equal(memory.field(states), h)
    softmax = dambench.Memory(patterns, "modern:0.5")
    np.testing.assert_allclose(softmax.energy(states), -np.log(np.exp(0.5 * m).sum(1)), rtol=1e-12)
    assert isinstance(memory.energy(states[0]), float)


def test_sign_of_the_field_is_what_recall_does(signs):
    patterns, states = signs(30, 41), signs(50, 41)
    memory = dambench.Memory(patterns, "dense:3")
    one = memory.recall(states, order="synchronous", max_passes=1).states
    h = memory.field(states)
    np.testing.assert_array_equal(one, np.where(h == 0, states, np.sign(h)))


def test_a_trace_falls_under_the_energy_rule(signs):
    memory = dambench.Memory(signs(30, 60), "dense:4")
    cue = signs(1, 60)[0]
    spins, energies = memory.trace(cue, rule="energy")
    assert len(spins) == len(energies) > 0
    assert (np.diff(np.concatenate([[memory.energy(cue)], energies])) < 0).all()


def test_erased_neurons(signs):
    patterns = signs(5, 60)
    cues = patterns.copy()
    cues[:, :20] = 0
    memory = dambench.Memory(patterns, "dense:3")
    for found in (memory.recall(cues, erased="field", clamp=True), memory.recall(patterns, mask=cues == 0, erased="field")):
        np.testing.assert_array_equal(found.states, patterns)
        assert (found.erased == 20).all()
    with pytest.raises(ValueError, match="clamp"):
        memory.recall(patterns, clamp=True)


def test_theory_and_fit(dam, tmp_path):
    rows = dambench.theory([64, 128], 3, alpha=0.9)
    assert set(rows.num_neurons) == {64, 128}
    known = rows[np.isfinite(rows.value)]
    assert (known.error <= 0.02 * known.value.abs()).all()
    assert (rows[rows.value.isna()].reason != "").all()
    out = tmp_path / "scaling.h5"
    dambench.capacity("16:64:x2", 3, precision=0.1, out=out)
    fits = dambench.fit(out)
    exponent = fits[fits.id == "naive-exponent"].iloc[0]
    assert exponent.ci_low < exponent.measured < exponent.ci_high
    assert exponent.theory == 2
    assert f"{exponent.measured:.3f}"[:4] in dam("fit", out)


def test_attention_is_a_dense_memory(signs):
    """One step of a softmax memory turns each neuron to the sign of attention's output, where that is not small."""
    patterns, query = signs(12, 64), signs(20, 64)
    weights = np.exp(0.2 * (query.astype(float) @ patterns.T))
    attention = weights / weights.sum(1, keepdims=True) @ patterns
    one = dambench.Memory(patterns, "modern:0.2").recall(query, order="synchronous", self_coupling="kept", max_passes=1)
    sure = np.abs(attention) > 1e-9
    np.testing.assert_array_equal(one.states[sure], np.sign(attention)[sure])
