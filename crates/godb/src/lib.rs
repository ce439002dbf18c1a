//! An embedded database: key-value and SQL over the same transactions, in one file.
