//! Benchmarks of godb beside its peers.
