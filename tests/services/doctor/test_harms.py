"""The doctor: a ledger broken on purpose in each way is found out, in words, and mended where that is safe."""

import pytest

from services import doctor
from services.audit import Actor, acting
from tests.services import kit
from tests.services.doctor.harms import HARMS
from tests.services.doctor.looks import broken


def test_every_rule_has_a_harm_that_breaks_it():
    assert sorted(harm.rule for harm in HARMS) == sorted(check.name for check in doctor.CHECKS)
    mendable = {check.name for check in doctor.CHECKS if check.mend is not None}
    assert {harm.rule for harm in HARMS if harm.mendable} == mendable


@pytest.mark.parametrize("harm", HARMS, ids=str)
def test_what_breaks_a_rule_is_found_with_its_id_and_mended_where_that_is_safe(patient, harm):
    harmed = harm.do()
    found = broken()
    assert set(found) - set(harm.also) == {harm.rule}
    assert any(str(harmed) in sentence for sentence in found[harm.rule])
    assert all(len(sentence) < 300 and "{" not in sentence for sentence in found[harm.rule])

    before = kit.scalar("SELECT count(*) FROM events")
    with acting(Actor("system", "doctor")):
        left = {r.check.name for r in doctor.repair_all(patience=0) if r.findings}
    if not harm.mendable:
        assert harm.rule in left
        return
    assert left <= set(harm.also)
    assert kit.scalar("SELECT count(*) FROM events") > before
    if harm.rule != "abandoned":  # a rescue is told as such
        event = kit.events("repair")[-1]
        assert (event.actor_kind, event.actor_id) == ("system", "doctor")
        assert event.reason
