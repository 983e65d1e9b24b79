"""The library of the trade: reading deals, analysing, simulating, reporting. Knows no tasks, queues or databases."""

import os

# Arrow's own allocator claims a gigabyte of address space at its first use, which the memory limit of an isolated task
# counts in full. Read by Arrow when it first allocates, so it is set before anything here imports it.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
