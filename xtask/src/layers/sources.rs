//! Layers in the source: crate names, re-exports, raw constructors.

use std::path::Path;

use anyhow::Result;
use proc_macro2::TokenTree;

use super::exports::exports;
use super::stack::{Allowed, RAW, allowed};
use crate::source::{self, Source, is_ident, is_punct, line, walk, without_tests};
use crate::workspace::{Package, Workspace};

/// What is wrong in the source, one line each.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for package in &workspace.packages {
        let below = package
            .directory
            .strip_prefix(&workspace.root)
            .unwrap_or(&package.directory);
        for path in source::files(&workspace.root, below, "rs")? {
            let source = Source::read(&workspace.root, path)?;
            wrong.extend(check_file(workspace, package, &source));
        }
    }
    Ok(wrong)
}

fn check_file(workspace: &Workspace, package: &Package, source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    let allowed = allowed(workspace, &package.name);
    let forbidden: Vec<String> = workspace
        .packages
        .iter()
        .filter(|other| other.name != package.name && !allowed.has(&other.name))
        .map(|other| other.name.replace('-', "_"))
        .collect();
    walk(&source.tokens, &mut |run| {
        names(run, &forbidden, &source.path, &mut wrong);
        re_exports(workspace, run, &allowed, &source.path, &mut wrong);
    });
    if !source.is_test() && !matches!(allowed, Allowed::All) {
        walk(&without_tests(&source.tokens), &mut |run| {
            raw_constructors(run, &package.name, &source.path, &mut wrong);
        });
    }
    wrong
}

/// Names of crates that this one must not know. `godb` and `xtask` are also words, and count only as the head of a path.
fn names(run: &[TokenTree], forbidden: &[String], path: &Path, wrong: &mut Vec<String>) {
    for (at, token) in run.iter().enumerate() {
        let TokenTree::Ident(ident) = token else { continue };
        let Some(name) = forbidden.iter().find(|name| ident == *name) else {
            continue;
        };
        let heads_path = run.get(at + 1).is_some_and(|next| is_punct(next, ':'))
            && run.get(at + 2).is_some_and(|next| is_punct(next, ':'));
        let imported = at > 0 && (is_ident(&run[at - 1], "use") || is_ident(&run[at - 1], "crate"));
        if name.contains('_') || heads_path || imported {
            wrong.push(format!(
                "{}:{}: must not name {name}",
                path.display(),
                line(token)
            ));
        }
    }
}

/// Whole layers handed upward: by glob, or as a crate.
fn re_exports(
    workspace: &Workspace,
    run: &[TokenTree],
    allowed: &Allowed<'_>,
    path: &Path,
    wrong: &mut Vec<String>,
) {
    for export in exports(run) {
        let ours = export.path.first().is_some_and(|head| {
            workspace
                .packages
                .iter()
                .any(|package| package.name.replace('-', "_") == *head)
        });
        let named = export.path.iter().filter(|part| *part != "self").count();
        let whole = named == 1 && !matches!(allowed, Allowed::All);
        if ours && (export.glob || whole) {
            wrong.push(format!(
                "{}:{}: re-export {} by name, word for word",
                path.display(),
                export.line,
                export.path.join("::")
            ));
        }
    }
}

fn raw_constructors(run: &[TokenTree], package: &str, path: &Path, wrong: &mut Vec<String>) {
    for window in run.windows(4) {
        let [word, first, second, function] = window else {
            continue;
        };
        if !is_punct(first, ':') || !is_punct(second, ':') {
            continue;
        }
        let rule = RAW
            .iter()
            .find(|rule| is_ident(word, rule.word) && is_ident(function, rule.function));
        if let Some(rule) = rule.filter(|rule| !rule.crates.contains(&package)) {
            wrong.push(format!(
                "{}:{}: {package} must not make a {} from a raw value; the list is in xtask/src/layers/stack.rs",
                path.display(),
                line(word),
                rule.word
            ));
        }
    }
}
