"""The mutants of `make mutants` still fit the source that they change, and change it."""

import ast

import pytest

from tests.mutants.catalogue import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_fits_the_source_and_is_python(mutant):
    for cut in mutant.cuts:
        source = cut.file.read_text()
        changed = cut.applied(source)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source))
