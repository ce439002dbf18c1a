//! What the source of models says: that nothing cuts them short, and which bugs are planted.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, ensure};
use proc_macro2::TokenTree;

use crate::source::{self, Source, is_ident, walk};
use crate::workspace::Package;

/// A model must not bound itself by time or number of runs: loom ends such a run as a pass.
pub(super) fn unbounded(root: &Path, package: &Package) -> Result<()> {
    let below = package.directory.strip_prefix(root).unwrap_or(&package.directory);
    let source = Source::read(root, below.join("tests/loom.rs"))?;
    let mut bounded = false;
    walk(&source.tokens, &mut |run| bounded |= bounds(run));
    ensure!(
        !bounded,
        "{}: a model that may be cut short proves nothing",
        package.name
    );
    Ok(())
}

/// Whether a limit of loom's is set to anything but `None`.
fn bounds(run: &[TokenTree]) -> bool {
    let limit = |token: &TokenTree| is_ident(token, "max_duration") || is_ident(token, "max_permutations");
    run.iter().enumerate().any(|(at, token)| {
        let lifted = run.get(at + 2).is_some_and(|value| is_ident(value, "None"));
        limit(token) && !lifted
    })
}

/// The bugs that a crate's source plants: every `godb_plant = "name"` in its code.
pub(super) fn plants(root: &Path, package: &Package) -> Result<BTreeSet<String>> {
    let below = package.directory.strip_prefix(root).unwrap_or(&package.directory);
    let mut names = BTreeSet::new();
    for path in source::files(root, below, "rs")? {
        let source = Source::read(root, path)?;
        walk(&source.tokens, &mut |run| names.extend(planted_in(run)));
    }
    Ok(names)
}

fn planted_in(run: &[TokenTree]) -> Vec<String> {
    run.windows(3)
        .filter(|window| is_ident(&window[0], "godb_plant"))
        .map(|window| window[2].to_string().trim_matches('"').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{bounds, planted_in};
    use crate::source::walk;

    #[test]
    fn a_limit_is_a_limit_unless_it_is_none() {
        let bounded = |text: &str| {
            let tokens: Vec<_> = text
                .parse::<proc_macro2::TokenStream>()
                .unwrap()
                .into_iter()
                .collect();
            bounds(&tokens)
        };
        assert!(bounded("model.max_duration = Some(second)") && bounded("max_permutations: limit"));
        assert!(!bounded("model.max_duration = None; preemption_bound = Some(2)"));
    }

    #[test]
    fn plants_are_found_in_attributes_and_expressions() {
        let text =
            "#[cfg(not(godb_plant = \"a\"))] fn f() { if cfg!(godb_plant = \"b\") {} } // godb_plant = \"c\"";
        let tokens: Vec<_> = text
            .parse::<proc_macro2::TokenStream>()
            .unwrap()
            .into_iter()
            .collect();
        let mut names = Vec::new();
        walk(&tokens, &mut |run| names.extend(planted_in(run)));
        assert_eq!(names, ["a", "b"]);
    }
}
