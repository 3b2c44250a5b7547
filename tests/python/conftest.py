"""Clusters of the tests of the package: small, quick, their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import kruise

from .objects import DELAYS


@pytest.fixture
def cluster() -> Iterator[kruise.Cluster]:
    with kruise.Cluster(delays=DELAYS) as made:
        yield made


@pytest.fixture
def client(cluster: kruise.Cluster) -> kruise.Client:
    return cluster.client()
