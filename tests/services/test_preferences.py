"""How a person wants to see the console: theirs to say, or an admin's."""

import argon2
import pytest

from models import Role
from services import operators
from services.audit import acting_as
from services.errors import Forbidden, InvalidInput

pytestmark = pytest.mark.usefixtures("core")


def test_a_theme_is_chosen_and_taken_back():
    ada = operators.create("ada")
    assert (ada.theme, ada.notify) == (None, False)
    with acting_as(ada):
        operators.set_theme(ada.id, "dark")
        operators.set_notify(ada.id, True)
    kept = operators.get(ada.id)
    assert (kept.theme, kept.notify) == ("dark", True)
    operators.set_theme(ada.id, None)
    operators.set_notify(ada.id, False)
    kept = operators.get(ada.id)
    assert (kept.theme, kept.notify) == (None, False)


@pytest.mark.parametrize("theme", ["", "Dark", "blue", 1, ["dark"]])
def test_a_theme_that_is_none_is_refused(theme):
    ada = operators.create("ada")
    with pytest.raises(InvalidInput, match="is none of light, dark"):
        operators.set_theme(ada.id, theme)


@pytest.mark.parametrize("on", [None, 1, "yes"])
def test_a_notification_is_on_or_off(on):
    ada = operators.create("ada")
    with pytest.raises(InvalidInput, match="neither True nor False"):
        operators.set_notify(ada.id, on)


def test_nobody_but_an_admin_sets_those_of_another():
    ada, ben, boss = (
        operators.create("ada"),
        operators.create("ben", Role.operator),
        operators.create("boss", Role.admin),
    )
    for act in (lambda: operators.set_theme(ada.id, "dark"), lambda: operators.set_notify(ada.id, True)):
        with acting_as(ben), pytest.raises(Forbidden):
            act()
        with acting_as(boss):
            act()


def test_a_password_is_hashed_at_the_price_that_rfc_9106_recommends(monkeypatch):
    monkeypatch.setattr(argon2, "PasswordHasher", argon2.PasswordHasher.func)  # here as in production
    ada = operators.create("ada", Role.admin, "correct horse battery")
    price = argon2.extract_parameters(ada.password_hash)
    assert price.type is argon2.Type.ID
    assert (price.time_cost, price.memory_cost, price.parallelism) >= (3, 64 * 1024, 4)
    assert operators.verify("ada", "correct horse battery").name == "ada"


def test_a_password_counts_only_while_its_account_is_open():
    assert not operators.can_sign_in_by_password()
    operators.create("by-link", Role.admin)
    assert not operators.can_sign_in_by_password()
    ada = operators.create("ada", Role.viewer, "correct horse battery")
    assert operators.can_sign_in_by_password()
    operators.disable(ada.id)
    assert not operators.can_sign_in_by_password()
