"""`make bench`."""

from benchmarks import latency, throughput

throughput.main()
latency.main()
