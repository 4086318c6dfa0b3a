"""The stub of the module and the package's own annotations agree."""

import pathlib

import pytest

import dambench

api = pytest.importorskip("mypy.api")


def test_mypy():
    package = pathlib.Path(dambench.__file__).parent
    report, errors, code = api.run(["--config-file", str(pathlib.Path(__file__).parents[2] / "pyproject.toml"), str(package)])
    assert code == 0, report + errors
