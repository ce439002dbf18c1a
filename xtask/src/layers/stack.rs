//! The stack, bottom first, and who is free of it.

use crate::workspace::Workspace;

/// The layers, each resting on the one before it. A layer that is not a member of the workspace is stepped over.
const STACK: &[&str] = &[
    "godb-page",
    "godb-buffer",
    "godb-btree",
    "godb-wal",
    "godb-recovery",
    "godb-txn",
    "godb-mvcc",
    "godb-sql",
    "godb-adaptive",
    "godb-ml",
];

/// Wiring and proving need every layer.
const FREE: &[&str] = &["godb", "godb-tests", "godb-benches", "xtask"];

/// What stands on the facade, and what it may name.
const ON_TOP: &[(&str, &[&str])] = &[("godb-server", &["godb"]), ("godb-cli", &["godb", "godb-server"])];

/// What a crate may name of the project.
pub(crate) enum Allowed<'a> {
    /// Every crate.
    All,
    /// These.
    Only(Vec<&'a str>),
    /// The crate has no place in the stack yet.
    Unknown,
}

impl Allowed<'_> {
    /// Whether `name` is among them.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(&name),
            Self::Unknown => false,
        }
    }
}

/// What `name` may name in `workspace`.
pub(crate) fn allowed(workspace: &Workspace, name: &str) -> Allowed<'static> {
    if FREE.contains(&name) {
        return Allowed::All;
    }
    if let Some((_, names)) = ON_TOP.iter().find(|(top, _)| *top == name) {
        return Allowed::Only(names.to_vec());
    }
    let Some(place) = STACK.iter().position(|layer| *layer == name) else {
        return Allowed::Unknown;
    };
    let below = STACK[..place]
        .iter()
        .rev()
        .find(|layer| workspace.package(layer).is_some());
    Allowed::Only(below.into_iter().copied().collect())
}

/// A shared word that must not be made from a raw value outside the crates listed.
pub(crate) struct RawConstructor {
    pub(crate) word: &'static str,
    pub(crate) function: &'static str,
    /// Those who read the word out of stored bytes, or give it out for the first time. Tests may always.
    pub(crate) crates: &'static [&'static str],
}

/// The list. A crate is added together with the reason it decodes or gives out that word.
pub(crate) const RAW: &[RawConstructor] = &[
    // Page headers; the pool's table of ids; child pointers and free maps; page lists in log records.
    RawConstructor {
        word: "PageId",
        function: "from_raw",
        crates: &["godb-page", "godb-buffer", "godb-btree", "godb-wal"],
    },
    // Page headers; stamps of private trees; positions in the log; what checkpoints recorded.
    RawConstructor {
        word: "Lsn",
        function: "from_raw",
        crates: &[
            "godb-page",
            "godb-buffer",
            "godb-btree",
            "godb-wal",
            "godb-recovery",
        ],
    },
    // Page headers; the directory; undo records; history keys; the catalog's rows.
    RawConstructor {
        word: "TreeId",
        function: "from_raw",
        crates: &["godb-page", "godb-btree", "godb-mvcc", "godb-sql"],
    },
    // Log records; who gives ids out; the writer in a row's header.
    RawConstructor {
        word: "TxnId",
        function: "from_raw",
        crates: &["godb-btree", "godb-wal", "godb-recovery", "godb-txn", "godb-mvcc"],
    },
    // A timestamp is the LSN of a commit record, which only the version layer turns into one.
    RawConstructor {
        word: "Timestamp",
        function: "from_raw",
        crates: &["godb-mvcc"],
    },
    // File headers; the log's control file and blocks.
    RawConstructor {
        word: "DatabaseId",
        function: "from_bytes",
        crates: &["godb-page", "godb-wal"],
    },
];
