"""Gates: what must hold however often it is tried. Each is a module with a `GATE`; `python -m benchmarks.gates` runs them."""
