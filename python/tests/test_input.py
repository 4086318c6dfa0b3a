"""What people bring: any array that means spins is read, any other is refused in one line, and nothing is lost."""

import os
import resource
import subprocess
import sys

import numpy as np
import pytest

import dambench

hypothesis = pytest.importorskip("hypothesis")
import hypothesis.extra.numpy as arrays  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

EXAMPLES = int(os.environ.get("DAMBENCH_EXAMPLES", "500"))  # 10 000 take half a minute
TYPES = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.float16, np.float32, np.float64, bool]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_type_and_byte_order(signs, dtype, order):
    patterns = signs(6, 30)
    bits = (patterns > 0).astype(np.dtype(dtype).newbyteorder(order))
    for values in (bits, np.asfortranarray(bits), np.repeat(bits, 2, axis=1)[:, ::2]):
        memory = dambench.Memory(values, "dense:3")
        np.testing.assert_array_equal(memory.patterns, patterns)
    if np.dtype(dtype).kind in "if":
        np.testing.assert_array_equal(dambench.Memory(patterns.astype(dtype)).patterns, patterns)
    if np.dtype(dtype).kind == "u":  # a -1 that lost its sign
        np.testing.assert_array_equal(dambench.Memory(patterns.astype(np.int64).astype(dtype)).patterns, patterns)


def test_read_only_lists_and_pictures(signs):
    patterns = signs(6, 30)
    patterns.flags.writeable = False
    np.testing.assert_array_equal(dambench.Memory(patterns).patterns, patterns)
    np.testing.assert_array_equal(dambench.Memory(patterns.tolist()).patterns, patterns)
    np.testing.assert_array_equal(dambench.Memory(patterns.reshape(6, 5, 6)).patterns, patterns)
    grey = np.random.default_rng(1).random((4, 9))
    np.testing.assert_array_equal(dambench.Memory(grey, threshold=0.5).patterns, np.where(grey > 0.5, 1, -1))


def test_tensors_of_torch(signs):
    torch = pytest.importorskip("torch")
    patterns = signs(6, 30)
    np.testing.assert_array_equal(dambench.Memory(torch.from_numpy(patterns.copy())).patterns, patterns)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: dambench.Memory(np.full((2, 3), 2)), ValueError, "2"),
        (lambda: dambench.Memory(np.array([[1, 1j]])), TypeError, "complex"),
        (lambda: dambench.Memory(np.array([["a", "b"]])), TypeError, "numbers"),
        (lambda: dambench.Memory(np.ones((0, 5))), ValueError, ""),
        (lambda: dambench.Memory(np.ones((3, 4)), "cubic"), ValueError, "cubic"),
        (lambda: dambench.Memory(np.ones((3, 4)), "dense:0"), ValueError, "1"),
        (lambda: dambench.Memory(np.ones((3, 4))).recall(np.ones((1, 5))), ValueError, "neurons"),
        (lambda: dambench.Memory(np.ones((3, 4))).recall(np.ones((1, 4)), order="backwards"), ValueError, "backwards"),
        (lambda: dambench.Memory(np.ones((3, 4))).recall(np.ones((1, 4)), seed=-1), ValueError, "seed"),
        (lambda: dambench.Memory(np.ones((3, 4))).recall(np.ones((1, 4)), max_passes=0), ValueError, "max_passes"),
        (lambda: dambench.Memory(np.ones((3, 4))).energy(np.full((1, 4), 2)), ValueError, "2"),
        (lambda: dambench.capacity(64), ValueError, "degree"),
        (lambda: dambench.capacity(64, 3, alpha=2), ValueError, "alpha"),
        (lambda: dambench.capacity([], 3), ValueError, "size"),
        (lambda: dambench.capacity(64, 3, nonsense=1), ValueError, "nonsense"),
        (lambda: dambench.capacity(64, 3, alpha=None, model=object()), TypeError, "model"),
        (lambda: dambench.theory(64), ValueError, "degree"),
        (lambda: dambench.open("/nowhere/at/all.h5"), FileNotFoundError, "nowhere"),
        (lambda: dambench.open(__file__), RuntimeError, "test_input.py"),
        (lambda: dambench.fit("/nowhere/at/all.h5"), FileNotFoundError, "nowhere"),
    ],
)
def test_wrong_calls_are_answered_in_one_line(call, kind, words):
    with pytest.raises(kind) as error:
        call()
    text = str(error.value)
    assert words in text
    assert "\n" not in text and text


@hypothesis.settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
@hypothesis.given(
    arrays.arrays(
        dtype=st.one_of(arrays.scalar_dtypes(), arrays.byte_string_dtypes(), arrays.complex_number_dtypes()),
        shape=arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6),
    ),
    st.sampled_from(["hopfield", "dense:3", "exponential:0.5"]),
    st.booleans(),
)
def test_any_array_is_read_or_refused(array, model, turned):
    values = array.T if turned else array
    try:
        memory = dambench.Memory(values, model)
    except (ValueError, TypeError) as error:
        assert "\n" not in str(error)
        return
    rows = memory.patterns
    assert set(np.unique(rows)) <= {-1, 1}
    found = memory.recall(values)
    assert found.states.shape == rows.shape


def test_nothing_leaks(signs):
    memory = dambench.Memory(signs(20, 64), "dense:3")
    cue = signs(1, 64)

    def grown(count):
        for _ in range(count):
            memory.recall(cue, threads=1)
            memory.energy(cue)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = grown(2000)
    assert grown(10_000) - before < 1024  # KiB


def test_import_starts_no_thread_and_is_quick():
    code = """
import os, time
import numpy  # whose own threads are not ours
before = os.listdir('/proc/self/task')
began = time.process_time()
import dambench
took = time.process_time() - began
assert os.listdir('/proc/self/task') == before
assert took < 0.2, took
"""
    subprocess.run([sys.executable, "-c", code], check=True)
