"""The library of the trade: reading deals, analysing, simulating, reporting. Knows no tasks, queues or databases."""
