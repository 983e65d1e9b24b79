"""`make bench`."""

from benchmarks.throughput import main

main()
