"""Gates: what must hold however often it is tried. Each module has a `GATE`; `python -m benchmarks.gates` runs them."""
