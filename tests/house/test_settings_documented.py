"""Every setting is explained, in the class and in the README, with the same words."""

from pathlib import Path

import pytest

from settings import Settings

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_stands_in_the_readme_as_in_the_code(name):
    description = Settings.model_fields[name].description
    assert description
    row = next((line for line in README.splitlines() if line.startswith(f"| `{name.upper()}` |")), None)
    assert row is not None, f"README.md has no row for {name.upper()}"
    assert description in row, f"README.md explains {name.upper()} in other words"
