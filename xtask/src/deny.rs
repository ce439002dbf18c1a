//! `cargo xtask deny`: what may enter the dependency tree, by `deny.toml`.
//!
//! `cargo deny` answers that with more care (it reads licence texts, too) and is asked where it is installed. Building it takes longer than building
//! the database, so on a machine without it the three questions are answered here, from what cargo knows of each package: is its licence expression
//! satisfied by the licences on the list, is it a banned crate, does it come from an allowed registry.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use lexopt::Parser;
use serde_json::Value as Json;
use toml::Value as Toml;

use crate::command;
use crate::workspace::{self, list, metadata, text};

/// The platform whose dependencies are looked at without `cargo deny`: those of others would have to be downloaded first.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// The task.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    check(&workspace::root())
}

/// Checks the dependencies of the workspace at `root`.
pub(crate) fn check(root: &Path) -> Result<()> {
    if installed() {
        let mut words = command::cargo(root, &["deny", "check", "licenses", "bans", "sources"]);
        return command::run(&mut words);
    }
    let rules = Rules::read(&fs::read_to_string(root.join("deny.toml"))?)?;
    let metadata = metadata(root, &["--filter-platform", PLATFORM])?;
    let packages = list(&metadata["packages"]);
    let wrong = rules.check(packages)?;
    for line in &wrong {
        println!("{line}");
    }
    if !wrong.is_empty() {
        bail!("{} dependencies against deny.toml", wrong.len());
    }
    println!(
        "deny: {} packages in order (cargo-deny is not installed; answered from cargo metadata)",
        packages.len()
    );
    Ok(())
}

fn installed() -> bool {
    Command::new("cargo-deny")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What `deny.toml` says, as far as it is answered here.
struct Rules {
    licences: Vec<String>,
    /// Banned crates, each with those that may depend on it all the same.
    banned: BTreeMap<String, Vec<String>>,
    registries: Vec<String>,
}

impl Rules {
    fn read(text: &str) -> Result<Self> {
        let config: Toml = toml::from_str(text).context("deny.toml")?;
        let banned = array(&config, "bans", "deny")?
            .iter()
            .map(|entry| {
                let name = entry
                    .get("crate")
                    .unwrap_or(entry)
                    .as_str()
                    .context("deny.toml: a ban without a crate")?;
                let wrappers = entry
                    .get("wrappers")
                    .and_then(Toml::as_array)
                    .map_or_else(Vec::new, |it| strings(it));
                Ok((name.to_owned(), wrappers))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            licences: strings(array(&config, "licenses", "allow")?),
            banned,
            registries: strings(array(&config, "sources", "allow-registry")?),
        })
    }

    /// What is wrong with `packages`, one line each.
    fn check(&self, packages: &[Json]) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for package in packages {
            let (name, version) = (text(package, "name")?, text(package, "version")?);
            wrong.extend(self.bans(package, &name, packages));
            // A package without a source lies in the workspace.
            let Some(source) = package["source"].as_str() else {
                continue;
            };
            let registry = source
                .strip_prefix("registry+")
                .or_else(|| source.strip_prefix("sparse+"));
            if !registry.is_some_and(|registry| self.registries.iter().any(|known| known == registry)) {
                wrong.push(format!("{name} {version}: comes from {source}"));
            }
            let licence = package["license"].as_str().unwrap_or("");
            if !satisfied(licence, &self.licences) {
                wrong.push(format!(
                    "{name} {version}: licence {licence:?} is not on the list"
                ));
            }
        }
        Ok(wrong)
    }

    /// The dependencies of `package` that are banned for it.
    fn bans(&self, package: &Json, name: &str, packages: &[Json]) -> Vec<String> {
        list(&package["dependencies"])
            .iter()
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|dependency| packages.iter().any(|package| package["name"] == **dependency))
            .filter(|dependency| {
                let wrappers = self.banned.get(*dependency);
                wrappers.is_some_and(|wrappers| !wrappers.iter().any(|wrapper| wrapper == name))
            })
            .map(|dependency| format!("{name}: depends on {dependency}, which is banned"))
            .collect()
    }
}

fn array<'a>(config: &'a Toml, table: &str, key: &str) -> Result<&'a Vec<Toml>> {
    config
        .get(table)
        .and_then(|table| table.get(key))
        .and_then(Toml::as_array)
        .with_context(|| format!("deny.toml: no list [{table}] {key}"))
}

fn strings(values: &[Toml]) -> Vec<String> {
    values
        .iter()
        .filter_map(Toml::as_str)
        .map(str::to_owned)
        .collect()
}

/// Whether the SPDX expression `expression` can be met with the licences of `allowed` alone. `/`, the old way to write `OR`, is understood.
fn satisfied(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest, allowed) && rest.is_empty()
}

fn either(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = both(rest, allowed);
    while rest.first() == Some(&"OR") {
        *rest = &rest[1..];
        met |= both(rest, allowed);
    }
    met
}

fn both(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = one(rest, allowed);
    while rest.first() == Some(&"AND") {
        *rest = &rest[1..];
        met &= one(rest, allowed);
    }
    met
}

fn one(rest: &mut &[&str], allowed: &[String]) -> bool {
    match **rest {
        ["(", ..] => {
            *rest = &rest[1..];
            let met = either(rest, allowed);
            let closed = rest.first() == Some(&")");
            *rest = rest.get(1..).unwrap_or_default();
            met && closed
        }
        [licence, "WITH", exception, ..] => {
            *rest = &rest[3..];
            let whole = format!("{licence} WITH {exception}");
            allowed.iter().any(|it| *it == whole || it == licence)
        }
        [licence, ..] => {
            *rest = &rest[1..];
            allowed.iter().any(|it| it == licence)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Rules, satisfied};
    use serde_json::json;

    const CONFIG: &str = "[licenses]\nallow = [\"MIT\", \"ISC\"]\n\
        [bans]\ndeny = [{ crate = \"openssl\" }, { crate = \"bindgen\", wrappers = [\"rocks\"] }]\n\
        [sources]\nallow-registry = [\"https://crates.example\"]\n";

    #[test]
    fn licence_expressions() {
        let allowed = ["MIT".to_owned(), "ISC".to_owned(), "A WITH E".to_owned()];
        for met in [
            "MIT",
            "GPL-3.0 OR MIT",
            "GPL-3.0/MIT",
            "MIT AND ISC",
            "(GPL OR MIT) AND ISC",
            "A WITH E OR B",
        ] {
            assert!(satisfied(met, &allowed), "{met}");
        }
        for unmet in [
            "",
            "GPL-3.0",
            "MIT AND GPL",
            "(GPL OR MIT) AND B",
            "A",
            "MIT ISC",
            "(MIT",
            "A WITH F",
        ] {
            assert!(!satisfied(unmet, &allowed), "{unmet}");
        }
    }

    #[test]
    fn licences_bans_and_sources_are_checked() {
        let registry = "registry+https://crates.example";
        let packages = [
            json!({"name": "own", "version": "1.0.0", "source": null, "dependencies": [{"name": "openssl"}, {"name": "absent"}]}),
            json!({"name": "openssl", "version": "2.0.0", "source": registry, "license": "MIT", "dependencies": []}),
            json!({"name": "rocks", "version": "3.0.0", "source": "git+https://x", "license": "GPL-2.0", "dependencies": [{"name": "bindgen"}]}),
            json!({"name": "bindgen", "version": "4.0.0", "source": registry, "license": "ISC/GPL", "dependencies": []}),
        ];
        let wrong = Rules::read(CONFIG).unwrap().check(&packages).unwrap();
        assert_eq!(
            wrong,
            [
                "own: depends on openssl, which is banned",
                "rocks 3.0.0: comes from git+https://x",
                "rocks 3.0.0: licence \"GPL-2.0\" is not on the list",
            ]
        );
    }
}
