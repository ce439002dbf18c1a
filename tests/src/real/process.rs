//! Starting the [child](mod@super::child), and hearing what it says.

use godb_page::sync::{Arc, Mutex};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// The program whose children are started: `real-faults` itself.
#[derive(Clone, Debug)]
pub struct Exe(pub PathBuf);

impl Exe {
    /// The program that runs now.
    pub(super) fn this() -> Self {
        Self(std::env::current_exe().unwrap_or_default())
    }

    /// A command that is to become the child.
    pub(super) fn child(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.0);
        command.arg("child").args(words);
        command
    }

    /// The child under another program, such as `strace`.
    pub(super) fn child_under(&self, program: &[&str], words: &[&str]) -> Command {
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).arg(&self.0).arg("child").args(words);
        command
    }
}

/// A child that runs.
pub(super) struct Running {
    pub(super) child: Child,
    out: BufReader<ChildStdout>,
}

impl Running {
    /// Starts a child. Its standard input stays open as long as this lives.
    pub(super) fn start(mut command: Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("the child does not start: {error}"))?;
        let out = child.stdout.take().ok_or("the child has no standard output")?;
        let out = BufReader::new(out);
        Ok(Self { child, out })
    }

    /// The next line that it says; empty when it has ended.
    pub(super) fn hear(&mut self) -> String {
        let mut line = String::new();
        drop(self.out.read_line(&mut line));
        line.trim_end().to_owned()
    }

    /// Hears on a thread of its own what it says, so that the lines up to some moment can be told from later ones.
    pub(super) fn listen(mut self) -> Heard {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (out, shared) = (self.out, lines.clone());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                shared.lock().push(line);
            }
        });
        drop(self.child.stdin.take());
        Heard {
            child: self.child,
            lines,
        }
    }

    /// Lets it go on to its end; everything else that it says.
    pub(super) fn finish(mut self) -> Vec<String> {
        drop(self.child.stdin.take());
        let lines = self.out.lines().map_while(Result::ok).collect();
        drop(self.child.wait());
        lines
    }
}

/// A child that is listened to.
pub(super) struct Heard {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Heard {
    /// What it has said so far.
    pub(super) fn so_far(&self) -> Vec<String> {
        self.lines.lock().clone()
    }

    /// Kills it.
    pub(super) fn kill(mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs a child to its end; everything that it says.
pub(super) fn run(command: Command) -> Result<Vec<String>, String> {
    Running::start(command).map(Running::finish)
}

/// Whether a program is there.
pub(super) fn is_installed(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// Whether a helping command does what it should.
pub(super) fn works(program: &str, words: &[&str]) -> bool {
    let status = Command::new(program)
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// A path as a word of a command line.
pub(super) fn word(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}
