//! SQL over a storage engine.
