//! Benchmarks of the kernels, run by `cargo bench`.
