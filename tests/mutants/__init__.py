"""The core, broken on purpose: `make mutants` sees whether the state machine notices each."""
