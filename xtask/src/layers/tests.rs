//! The rules hold here, and a workspace that breaks one is caught: each test plants one fault in a copy.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::exports::{Export, exports};
use super::violations;
use crate::source;
use crate::workspace;

/// The manifests and sources of this workspace, somewhere else.
fn copy() -> TempDir {
    let root = workspace::root();
    let copy = tempfile::tempdir().unwrap();
    for extension in ["toml", "rs"] {
        for path in source::files(&root, Path::new(""), extension).unwrap() {
            let to = copy.path().join(&path);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(root.join(&path), to).unwrap();
        }
    }
    copy
}

fn append(copy: &TempDir, path: &str, text: &str) {
    let path = copy.path().join(path);
    let old = fs::read_to_string(&path).unwrap();
    fs::write(path, format!("{old}\n{text}\n")).unwrap();
}

fn planted(path: &str, text: &str) -> Vec<String> {
    let copy = copy();
    append(&copy, path, text);
    violations(copy.path()).unwrap()
}

#[track_caller]
fn assert_only(wrong: &[String], part: &str) {
    assert!(
        wrong.len() == 1 && wrong[0].contains(part),
        "wanted one line with {part:?}, got {wrong:#?}"
    );
}

#[test]
fn this_workspace_keeps_the_layers() {
    assert_eq!(violations(&workspace::root()).unwrap(), Vec::<String>::new());
    assert_eq!(violations(copy().path()).unwrap(), Vec::<String>::new());
}

#[test]
fn a_dependency_that_skips_a_layer_is_caught() {
    let wrong = planted(
        "crates/godb-btree/Cargo.toml",
        "[target.'cfg(unix)'.dependencies]\ngodb-page.workspace = true",
    );
    assert_only(
        &wrong,
        "godb-btree: must not depend on godb-page (normal dependency for cfg(unix))",
    );
}

#[test]
fn a_dependency_upward_is_caught() {
    let wrong = planted(
        "crates/godb-page/Cargo.toml",
        "[target.'cfg(windows)'.dev-dependencies]\ngodb-btree.workspace = true",
    );
    assert_only(
        &wrong,
        "must not depend on godb-btree (dev dependency for cfg(windows))",
    );
}

#[test]
fn build_dependencies_count() {
    let wrong = planted(
        "crates/godb-mvcc/Cargo.toml",
        "[build-dependencies]\ngodb-page.workspace = true",
    );
    assert_only(
        &wrong,
        "godb-mvcc: must not depend on godb-page (build dependency)",
    );
}

#[test]
fn a_renamed_dependency_is_still_that_dependency() {
    let wrong = planted(
        "crates/godb-sql/Cargo.toml",
        "[build-dependencies]\npages = { package = \"godb-page\", path = \"../godb-page\" }",
    );
    assert_only(&wrong, "godb-sql: must not depend on godb-page");
}

#[test]
fn a_feature_that_reaches_past_the_neighbour_is_caught() {
    let copy = copy();
    let manifest = copy.path().join("crates/godb-wal/Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let text = text.replace("[features]", "[features]\nreach = [\"godb-page?/testing\"]");
    let text = format!(
        "{text}\n[target.'cfg(any())'.dependencies]\ngodb-page = {{ path = \"../godb-page\", optional = true }}\n"
    );
    fs::write(&manifest, text).unwrap();
    let wrong = violations(copy.path()).unwrap();
    assert!(
        wrong
            .iter()
            .any(|line| line.contains("feature `reach` must not name godb-page")),
        "{wrong:#?}"
    );
}

#[test]
fn a_crate_without_a_place_is_caught() {
    let copy = copy();
    let manifest = copy.path().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(
        &manifest,
        text.replacen("members = [", "members = [\n    \"crates/godb-new\",", 1),
    )
    .unwrap();
    fs::create_dir_all(copy.path().join("crates/godb-new/src")).unwrap();
    fs::write(copy.path().join("crates/godb-new/src/lib.rs"), "//! New.\n").unwrap();
    fs::write(
        copy.path().join("crates/godb-new/Cargo.toml"),
        "[package]\nname = \"godb-new\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    )
    .unwrap();
    assert_only(
        &violations(copy.path()).unwrap(),
        "godb-new: has no place in the stack",
    );
}

#[test]
fn a_forbidden_name_in_source_is_caught() {
    let wrong = planted("crates/godb-btree/src/lib.rs", "type Sneaky = godb_page::PageId;");
    assert_only(&wrong, "must not name godb_page");
    let wrong = planted("crates/godb-page/src/lib.rs", "type Sneaky = godb::Database;");
    assert_only(&wrong, "must not name godb");
}

#[test]
fn names_in_comments_and_strings_are_no_uses() {
    let wrong = planted(
        "crates/godb-btree/src/lib.rs",
        "// godb_page::PageId\n/// godb_wal does that.\nconst NAME: &str = \"godb_wal\";",
    );
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_glob_re_export_is_caught() {
    let wrong = planted("crates/godb-buffer/src/lib.rs", "pub use godb_page::*;");
    assert_only(&wrong, "re-export godb_page by name");
    let wrong = planted(
        "crates/godb-buffer/src/lib.rs",
        "pub(crate) use godb_page::{PageId as P, sync::*};",
    );
    assert_only(&wrong, "re-export godb_page::sync by name");
    let wrong = planted("crates/godb/src/lib.rs", "pub mod layer { pub use godb_sql::*; }");
    assert_only(&wrong, "re-export godb_sql by name");
    let wrong = planted("crates/godb-buffer/src/lib.rs", "pub extern crate godb_page;");
    assert_only(&wrong, "re-export godb_page by name");
}

#[test]
fn a_raw_constructor_outside_the_list_is_caught_except_in_tests() {
    let wrong = planted(
        "crates/godb-sql/src/lib.rs",
        "fn forge() -> u8 { godb_mvcc::PageId::from_raw(7); 0 }",
    );
    assert_only(&wrong, "must not make a PageId from a raw value");
    let wrong = planted(
        "crates/godb-sql/src/lib.rs",
        "#[cfg(test)]\nmod forged { fn forge() -> u8 { godb_mvcc::PageId::from_raw(7); 0 } }",
    );
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn use_trees_are_taken_apart() {
    let tokens: Vec<_> =
        "use hidden::*; pub use ::a::{b::C as D, e::{self, *}}; pub(super) extern crate f as g;"
            .parse::<proc_macro2::TokenStream>()
            .unwrap()
            .into_iter()
            .collect();
    let export = |path: &[&str], glob| Export {
        line: 1,
        path: path.iter().map(|part| (*part).to_owned()).collect(),
        glob,
    };
    assert_eq!(
        exports(&tokens),
        [
            export(&["a", "b", "C"], false),
            export(&["a", "e", "self"], false),
            export(&["a", "e"], true),
            export(&["f"], false),
        ]
    );
}
