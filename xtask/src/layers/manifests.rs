//! Layers in the manifests: dependencies of every kind, and features.

use super::stack::{Allowed, allowed};
use crate::workspace::{Package, Workspace};

/// What is wrong in the manifests, one line each.
pub(crate) fn check(workspace: &Workspace) -> Vec<String> {
    workspace
        .packages
        .iter()
        .flat_map(|package| {
            let allowed = allowed(workspace, &package.name);
            if matches!(allowed, Allowed::Unknown) {
                return vec![format!(
                    "{}: has no place in the stack; give it one in xtask/src/layers/stack.rs",
                    package.name
                )];
            }
            let mut wrong = dependencies(workspace, package, &allowed);
            wrong.extend(features(workspace, package, &allowed));
            wrong
        })
        .collect()
}

fn dependencies(workspace: &Workspace, package: &Package, allowed: &Allowed<'_>) -> Vec<String> {
    package
        .dependencies
        .iter()
        .filter(|dependency| is_ours(workspace, &dependency.package) && !allowed.has(&dependency.package))
        .map(|dependency| {
            let target = dependency
                .target
                .as_ref()
                .map_or_else(String::new, |target| format!(" for {target}"));
            format!(
                "{}: must not depend on {} ({} dependency{target})",
                package.name, dependency.package, dependency.kind
            )
        })
        .collect()
}

fn features(workspace: &Workspace, package: &Package, allowed: &Allowed<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (feature, switched) in &package.features {
        for entry in switched {
            let named = package_named(package, entry);
            if is_ours(workspace, &named) && !allowed.has(&named) {
                wrong.push(format!(
                    "{}: feature `{feature}` must not name {named}",
                    package.name
                ));
            }
        }
    }
    wrong
}

/// The package behind `dep:name`, `name/feature` or `name?/feature`.
fn package_named(package: &Package, entry: &str) -> String {
    let name = entry.strip_prefix("dep:").unwrap_or(entry);
    let name = name.split('/').next().unwrap_or(name).trim_end_matches('?');
    package
        .dependencies
        .iter()
        .find(|dependency| dependency.rename.as_deref() == Some(name))
        .map_or_else(|| name.to_owned(), |dependency| dependency.package.clone())
}

/// A crate of the project: a member, or one that goes by its name.
fn is_ours(workspace: &Workspace, name: &str) -> bool {
    workspace.package(name).is_some() || name == "godb" || name.starts_with("godb-")
}
