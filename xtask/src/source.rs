//! Rust source as token trees.
//!
//! The rules look at tokens and not at text: a name in a comment or a string is not a use of it. Comments do not exist here, doc comments
//! are attributes, and a bracketed group is one tree, so "the body of this function" and "the module under this attribute" are easy to say.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, anyhow};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Directories that hold no source of the project.
const SKIPPED: &[&str] = &["target", ".git", ".ci"];

/// One file of Rust.
pub(crate) struct Source {
    /// Where it lies, below the workspace's top.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) text: String,
    /// The same as token trees.
    pub(crate) tokens: Vec<TokenTree>,
}

impl Source {
    /// Reads and lexes `root/path`.
    pub(crate) fn read(root: &Path, path: PathBuf) -> Result<Self> {
        let text =
            fs::read_to_string(root.join(&path)).with_context(|| format!("reading {}", path.display()))?;
        let tokens = TokenStream::from_str(&text)
            .map_err(|error| anyhow!("{}: not Rust: {error}", path.display()))?
            .into_iter()
            .collect();
        Ok(Self { path, text, tokens })
    }

    /// Whether the whole file is test code: by its place (`tests/`, `benches/`, `testing/`) or its name (`tests.rs`, `testing.rs`).
    pub(crate) fn is_test(&self) -> bool {
        let directory = self.path.components().any(|part| {
            ["tests", "benches", "testing", "examples"]
                .iter()
                .any(|name| part.as_os_str() == *name)
        });
        let file = self.path.file_stem().is_some_and(|stem| {
            stem == "tests" || stem == "testing" || stem.to_string_lossy().ends_with("_tests")
        });
        directory || file
    }
}

/// The files below `root/below` whose name ends with `.extension`, as paths below `root`, in order.
pub(crate) fn files(root: &Path, below: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![root.join(below)];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).with_context(|| format!("reading {}", directory.display()))? {
            let entry = entry?;
            let path = entry.path();
            let name = entry.file_name();
            if entry.file_type()?.is_dir() {
                if !SKIPPED.iter().any(|skipped| name == *skipped)
                    && !name.to_string_lossy().starts_with("target-")
                {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path.strip_prefix(root).expect("below the root").to_path_buf());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Calls `visit` with every run of sibling tokens: the file's, and each group's, however deep. `visit` says whether to go into the groups
/// of a run by what it returns for each of them through `enter`.
pub(crate) fn walk(tokens: &[TokenTree], visit: &mut impl FnMut(&[TokenTree])) {
    visit(tokens);
    for token in tokens {
        if let TokenTree::Group(group) = token {
            walk(&children(group), visit);
        }
    }
}

/// The tokens inside a group.
pub(crate) fn children(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

/// The same tokens without the items under `#[cfg(test)]`, at any depth.
pub(crate) fn without_tests(tokens: &[TokenTree]) -> Vec<TokenTree> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    while let Some(token) = rest.first() {
        if let Some(skipped) = test_item(rest) {
            rest = &rest[skipped..];
            continue;
        }
        kept.push(match token {
            TokenTree::Group(group) => {
                let inner = without_tests(&children(group)).into_iter().collect();
                let mut copy = Group::new(group.delimiter(), inner);
                copy.set_span(group.span());
                copy.into()
            }
            other => other.clone(),
        });
        rest = &rest[1..];
    }
    kept
}

/// When `tokens` begin with `#[cfg(test)]` or `#[cfg(all(test, …))]`: how many belong to that attribute and the item under it.
fn test_item(tokens: &[TokenTree]) -> Option<usize> {
    let [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] = tokens else {
        return None;
    };
    if hash.as_char() != '#' || !names_test(attribute) {
        return None;
    }
    let end = tokens[2..].iter().position(|token| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    })?;
    Some(2 + end + 1)
}

fn names_test(attribute: &Group) -> bool {
    let inside = children(attribute);
    let [TokenTree::Ident(cfg), TokenTree::Group(condition)] = inside.as_slice() else {
        return false;
    };
    let mut found = false;
    walk(&children(condition), &mut |run| {
        found |= run.iter().any(|token| is_ident(token, "test"));
    });
    cfg == "cfg"
        && found
        && !condition.to_string().contains("not (test)")
        && !condition.to_string().contains("not(test)")
}

/// Whether `token` is the identifier `name`.
pub(crate) fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

/// Whether `token` is the punctuation `character`.
pub(crate) fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// The line `token` begins on, counted from 1.
pub(crate) fn line(token: &TokenTree) -> usize {
    token.span().start().line
}
