//! Starting a [worker](super::worker), under a wrapper like `strace` or `prlimit`, and listening to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A process that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A worker that runs.
pub(super) struct Running {
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
    errors: Option<JoinHandle<String>>,
}

/// What a worker said until it ended.
#[derive(Debug)]
pub(super) struct Told {
    /// Its lines.
    pub(super) lines: Vec<String>,
    /// What it wrote to standard error.
    pub(super) complaints: String,
    /// How it ended.
    pub(super) status: ExitStatus,
}

/// Starts a worker of this role. `wrapper` is the words in front of the program, or none.
pub(super) fn start(wrapper: &[&str], role: &str, file: &Path, more: &str) -> Result<Running, String> {
    let program = std::env::current_exe().map_err(text)?;
    let mut words = wrapper.iter();
    let mut command = match words.next() {
        Some(first) => {
            let mut command = Command::new(first);
            command.args(words).arg(&program);
            command
        }
        None => Command::new(&program),
    };
    command.arg("--work").arg(role).arg(file).arg(more);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(text)?;
    let (said, lines) = channel();
    let out = child.stdout.take().ok_or("no output")?;
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if said.send(line).is_err() {
                return;
            }
        }
    });
    let mut complaints = child.stderr.take().ok_or("no output for errors")?;
    let errors = std::thread::spawn(move || {
        let mut all = String::new();
        drop(complaints.read_to_string(&mut all));
        all
    });
    Ok(Running {
        child,
        lines,
        heard: Vec::new(),
        errors: Some(errors),
    })
}

/// An error of the system in words.
pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Running {
    /// Its process number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says a line of which `wanted` is true, and returns that; none when it ends before.
    pub(super) fn hear(&mut self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let until = Instant::now() + PATIENCE;
        while let Ok(line) = self
            .lines
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            self.heard.push(line.clone());
            if wanted(&line) {
                return Some(line);
            }
        }
        None
    }

    /// Gives it a line of input.
    pub(super) fn go_on(&mut self) {
        if let Some(input) = &mut self.child.stdin {
            drop(input.write_all(b"go\n").and_then(|()| input.flush()));
        }
    }

    /// Kills it. It has no chance to do anything about it.
    pub(super) fn kill(mut self) -> Result<Told, String> {
        self.child.kill().map_err(text)?;
        self.finish()
    }

    /// Asks it to end.
    pub(super) fn terminate(self) -> Result<Told, String> {
        super::system("kill", &["-TERM", &self.id().to_string()]);
        self.finish()
    }

    /// Ends its input and waits for its end; one that does not end is killed, which is an error.
    pub(super) fn finish(mut self) -> Result<Told, String> {
        drop(self.child.stdin.take());
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().map_err(text)? {
                break status;
            }
            if Instant::now() > until {
                drop(self.child.kill());
                drop(self.child.wait());
                return Err(format!("it hangs; it said last: {:?}", self.heard.last()));
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        self.heard.extend(self.lines.iter());
        let complaints = self.errors.take().and_then(|errors| errors.join().ok());
        let told = Told {
            lines: std::mem::take(&mut self.heard),
            complaints: complaints.unwrap_or_default(),
            status,
        };
        match told.complaints.contains("panicked") {
            true => Err(format!("it panicked: {}", told.complaints)),
            false => Ok(told),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

impl Told {
    /// How many rows a worker of role `one` was told to be durable.
    pub(super) fn acknowledged(&self) -> u64 {
        self.lines.iter().filter(|line| line.starts_with("ok ")).count() as u64
    }

    /// The errors it met.
    pub(super) fn errors(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| line.strip_prefix("error "))
    }

    /// Whether it said exactly this line.
    pub(super) fn said(&self, line: &str) -> bool {
        self.lines.iter().any(|one| one == line)
    }
}
