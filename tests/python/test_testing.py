"""`kruise.testing` as its users have it: a test of theirs, with one line in their conftest."""

from __future__ import annotations

import pytest

import kruise
from kruise import testing

from .objects import clone_set

pytest_plugins = ["pytester"]

TEST_OF_A_USER = """
import kruise, pytest

WEB = {web!r}

def test_virtual(kruise_cluster, kruise_client, kruise_manager):
    kruise_client.create(WEB)
    kruise_cluster.run_until(lambda: kruise_client.get("clone", "web")["status"].get("readyReplicas") == 2, timeout=60)
    assert len(kruise_client.list("nodes")) == 3

@pytest.mark.kruise(nodes=1, virtual=False, gates={{"PodWebhook": False}})
def test_its_own(kruise_cluster, kruise_client):
    assert not kruise_cluster.virtual
    assert kruise_client.list("clone") == []
    assert kruise_cluster.nodes == 1
"""


def test_fixtures_are_there_for_whoever_names_the_plugin(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["kruise.testing"]')
    pytester.makepyfile(TEST_OF_A_USER.format(web=clone_set()))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--strict-markers", "-W", "error")
    result.assert_outcomes(passed=2)


def test_the_same_as_a_context() -> None:
    with testing.cluster(nodes=2, seed=3) as (cluster, client, manager):
        client.create(clone_set())
        cluster.run_until(lambda: client.get("clone", "web")["status"].get("readyReplicas") == 2, timeout=60)
        assert isinstance(manager, kruise.Manager)
        assert len(client.list("nodes")) == 2
