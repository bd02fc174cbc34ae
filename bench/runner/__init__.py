"""The bench's runner: bench/README.md says how it measures, bench/run starts it."""
