//! The scripts of several sessions, in `tests/sessions`.

use godb_tests::sessions::{Knobs, Script, play};
use std::path::{Path, PathBuf};

/// Which scripts there are.
fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sessions");
    let files = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "sessions"));
    paths.sort();
    paths
}

/// Runs a script; where something else came of it than it says, both texts.
fn differs(path: &Path, knobs: Knobs) -> Option<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut script = Script::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for part in script.parts() {
        let outcomes = play(&part, knobs);
        script.note(&part, &outcomes);
    }
    let came = script.text();
    if knobs.bless {
        std::fs::write(path, &came).unwrap();
    }
    (came != text).then(|| {
        let lines = text.lines().zip(came.lines()).enumerate();
        let first = lines
            .filter(|(_, (said, came))| said != came)
            .map(|(number, _)| number + 1)
            .next();
        format!("{}, line {first:?}: what came of it:\n{came}", path.display())
    })
}

#[test]
fn what_comes_of_several_sessions_is_what_the_scripts_say() {
    let bless = std::env::var_os("BLESS_SESSIONS").is_some();
    let scripts = scripts();
    assert!(scripts.len() >= 11);
    // Most of the time they wait, so all at once.
    let differences = std::thread::scope(|scope| {
        let running: Vec<_> = scripts
            .iter()
            .map(|path| scope.spawn(move || differs(path, Knobs { bless })))
            .collect();
        running
            .into_iter()
            .filter_map(|one| one.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert!(bless || differences.is_empty(), "{}", differences.join("\n"));
}
