//! What cargo says of the workspace: its packages, what they depend on, where they lie.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// A workspace as `cargo metadata` describes it.
pub(crate) struct Workspace {
    /// Its top directory.
    pub(crate) root: PathBuf,
    /// Its members, by name.
    pub(crate) packages: Vec<Package>,
}

/// A member of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) directory: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    /// Feature name to what it switches on, as written in the manifest.
    pub(crate) features: BTreeMap<String, Vec<String>>,
    /// The names of its binaries.
    pub(crate) binaries: Vec<String>,
}

/// One line of a manifest's dependency tables.
pub(crate) struct Dependency {
    /// The package it names.
    pub(crate) package: String,
    /// The name it goes by in this manifest, where that is another one.
    pub(crate) rename: Option<String>,
    /// `normal`, `dev` or `build`.
    pub(crate) kind: String,
    /// The `cfg(…)` or triple it is limited to.
    pub(crate) target: Option<String>,
}

impl Workspace {
    /// Asks cargo about the workspace at `root`. Nothing is resolved or downloaded.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let metadata = metadata(root, &["--no-deps", "--offline"])?;
        let mut packages = list(&metadata["packages"])
            .iter()
            .map(package)
            .collect::<Result<Vec<_>>>()?;
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            root: root.to_path_buf(),
            packages,
        })
    }

    /// The member called `name`.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }
}

/// The top directory of the workspace that this program belongs to.
pub(crate) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(own)
        .parent()
        .map(Path::to_path_buf)
        .expect("xtask lies in a directory of the workspace")
}

/// What `cargo metadata` prints about the workspace at `root`.
pub(crate) fn metadata(root: &Path, options: &[&str]) -> Result<Value> {
    let output = Command::new(cargo())
        .args(["metadata", "--format-version", "1"])
        .args(options)
        .current_dir(root)
        .output()
        .context("cargo metadata could not be started")?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// The elements of a JSON array; none when it is absent.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A JSON string that must be there.
pub(crate) fn text(value: &Value, name: &str) -> Result<String> {
    value[name]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("cargo metadata without `{name}`"))
}

fn package(value: &Value) -> Result<Package> {
    let manifest = PathBuf::from(text(value, "manifest_path")?);
    let binaries = list(&value["targets"])
        .iter()
        .filter(|target| list(&target["kind"]).iter().any(|kind| kind == "bin"))
        .map(|target| text(target, "name"))
        .collect::<Result<_>>()?;
    Ok(Package {
        name: text(value, "name")?,
        directory: manifest
            .parent()
            .context("a manifest lies in a directory")?
            .to_path_buf(),
        dependencies: list(&value["dependencies"])
            .iter()
            .map(dependency)
            .collect::<Result<_>>()?,
        features: serde_json::from_value(value["features"].clone())?,
        binaries,
    })
}

fn dependency(value: &Value) -> Result<Dependency> {
    Ok(Dependency {
        package: text(value, "name")?,
        rename: value["rename"].as_str().map(str::to_owned),
        kind: value["kind"].as_str().unwrap_or("normal").to_owned(),
        target: value["target"].as_str().map(str::to_owned),
    })
}
