"""One company for all models of a run."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model.template import Template, make_template

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder in memory: the model restarts nodes, not disks


@pytest.fixture(scope="session")
def template() -> Iterator[Template]:
    """The company, made by real processes."""
    parent = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="fieldmesh-model-", dir=parent))
    yield make_template(folder)
    shutil.rmtree(folder, ignore_errors=True)
