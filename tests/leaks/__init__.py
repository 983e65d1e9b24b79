"""`make leaks`: an hour of mixed work, and whether memory, files, threads or connections of any process grow.

kinds    what its workers run beside the soak's kinds
load     work at an even pace; and an operator who looks at pages
measure  samples of every process, and the slope of each figure
run      one run on one database, and its verdict
"""
