//! Differential tests against PostgreSQL 15, whose semantics are godb's reference.
//!
//! A server of the machine's own is started on an empty directory and asked the same as godb: the golden scripts of `godb-sql`, record by
//! record, and random queries over tables with every type. What must agree is the rows, the names of the types, and the SQLSTATE of errors. So the
//! golden scripts are not what godb happened to answer when they were written.
//!
//! Records that cannot agree are marked in the scripts: a comment line that begins with `# Unlike PostgreSQL` stands right before them and says
//! why; a script that has `# Not for PostgreSQL` in its first line is not run at all.

mod ask;
mod random;
mod scripts;
mod server;

pub use random::{Difference, random_queries};
pub use scripts::{check_script, fill_script};
pub use server::Server;
