"""Monte Carlo of a sales pipeline: what it may bring in by a date, under several what-ifs.

`simulate.simulate` is the way in. `scenario` is light (pydantic only), so that a task's contract can be read
without numpy.
"""
