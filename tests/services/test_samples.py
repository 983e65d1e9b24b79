"""The sample in one click: three tasks, each waiting for the ones before; all or none."""

import pytest
from pydantic import create_model

from models import Role, Status
from services import artifacts, catalog, operators, samples
from services.audit import acting_as
from services.errors import Forbidden, NotFound
from tests.services import kit
from tests.services.kit import known, status


@pytest.fixture
def able(core):
    """Workers have declared the types of the chain."""
    one = create_model("one", data=(dict, ...))
    last = create_model("last", title=(str, ...))
    types = [catalog.TaskType(name, last if name == samples.CHAIN[2] else one) for name in samples.CHAIN]
    with known(*types):
        catalog.declare()
        catalog.declared(fresh=True)
        yield


def test_the_chain_is_the_person_s_own_and_waits_in_order(able):
    ada = operators.create("ada", Role.member)
    with acting_as(ada):
        made = samples.run({"return_path": "/"})
    assert [task.type for task in made] == list(samples.CHAIN)
    assert status(*made) == [Status.queued, Status.pending, Status.pending]
    assert [task.waits_on for task in made] == [0, 1, 2]
    assert {task.owner for task in made} == {ada.id}
    source = made[0].body.payload["data"]
    assert artifacts.get(source["artifact"]).name == "deals.csv"
    assert artifacts.get(source["lookup"]).name == "products.csv"
    assert made[0].body.context == {"return_path": "/"}


def test_without_a_worker_for_it_nothing_is_enqueued(core):
    catalog.declared(fresh=True)
    with pytest.raises(NotFound, match="No worker has declared bulk_analysis"):
        samples.run()
    assert kit.count() == 0


def test_a_viewer_runs_no_sample(able):
    with acting_as(operators.create("ada", Role.viewer)), pytest.raises(Forbidden):
        samples.run()
    assert kit.count() == 0
