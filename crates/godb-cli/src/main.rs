//! The `godb` program.

fn main() {}
