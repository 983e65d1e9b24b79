"""One mutant: `python -m tests.mutants.run NAME`. The core is changed as it is imported; the files stay as they are."""

import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType

from tests.mutants.catalogue import MUTANTS, Mutant

MACHINE = "tests/services/test_machine.py"


class Changed(SourceFileLoader):
    """Loads a module's source with its cuts."""

    def __init__(self, mutant: Mutant, name: str, path: str) -> None:
        super().__init__(name, path)
        self._cuts = [cut for cut in mutant.cuts if cut.module == name]

    def get_code(self, fullname: str) -> object:
        """Compiled anew: neither from a cache nor into one."""
        source = self.get_data(self.path).decode()
        for cut in self._cuts:
            source = cut.applied(source)
        return compile(source, self.path, "exec")


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules that a mutant changes."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a changed module; None for all others."""
        cut = next((cut for cut in self._mutant.cuts if cut.module == fullname), None)
        if cut is None:
            return None
        return importlib.util.spec_from_loader(fullname, Changed(self._mutant, fullname, str(cut.file)))


def main() -> int:
    """Run the state machine over the mutant; pytest's exit code: 1 where it was noticed, 0 where it was not."""
    name, *options = sys.argv[1:]
    (mutant,) = [each for each in MUTANTS if each.name == name]
    sys.meta_path.insert(0, Finder(mutant))
    import pytest
    from hypothesis import Phase, settings

    settings.register_profile("mutants", phases=[Phase.generate], report_multiple_bugs=False)
    settings.load_profile("mutants")
    return pytest.main([MACHINE, "-x", "-q", "--no-header", "-p", "no:cacheprovider", "--timeout=900", *options])


if __name__ == "__main__":
    sys.exit(main())
