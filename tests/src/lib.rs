//! Tests of the whole stack.

#[cfg(test)]
mod recovery;
