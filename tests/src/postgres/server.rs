//! A PostgreSQL server on a directory of its own, without a network.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Where Debian keeps the programs that are not in the path.
const DEBIAN: &str = "/usr/lib/postgresql/15/bin";

/// A running server; dropping it ends it.
pub struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl Server {
    /// Starts a server; `None` when PostgreSQL 15 is not installed.
    pub fn start() -> io::Result<Option<Self>> {
        let Some(programs) = programs() else {
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        if is_root() {
            check(
                &Command::new("chown")
                    .arg("postgres")
                    .arg(folder.path())
                    .output()?,
            )?;
        }
        let server = Self { folder, programs };
        let data = server.data();
        let options = [
            "--locale=C",
            "--encoding=UTF8",
            "--auth=trust",
            "--username=postgres",
            "--no-sync",
        ];
        check(
            &server
                .command("initdb")
                .arg("-D")
                .arg(&data)
                .args(options)
                .output()?,
        )?;
        let settings = format!(
            "-k {} -c listen_addresses= -c fsync=off -c timezone=UTC -c max_stack_depth=7MB",
            server.folder.path().display()
        );
        let mut start = server.command("pg_ctl");
        start
            .args(["start", "-w", "-s", "-o", &settings, "-l"])
            .arg(server.folder.path().join("log"))
            .arg("-D")
            .arg(&data);
        let status = start.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        if !status.success() {
            return Err(io::Error::other(format!("pg_ctl start ended with {status}")));
        }
        server.wait_ready()?;
        Ok(Some(server))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of the server's, run as another user when this one is root, which PostgreSQL refuses.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(self.folder.path()).env("LC_ALL", "C");
        command
    }

    fn wait_ready(&self) -> io::Result<()> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            match self.psql("SELECT 1") {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > end => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    /// A directory that the server may write to.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.folder.path()
    }

    /// Feeds psql a script in a fresh database; returns what it wrote to its output and to its errors.
    pub fn psql(&self, script: &str) -> io::Result<(String, String)> {
        let mut psql = self.client();
        psql.args([
            "-c",
            "DROP DATABASE IF EXISTS fresh",
            "-c",
            "CREATE DATABASE fresh",
            "postgres",
        ]);
        check(&psql.output()?)?;
        let mut child = self
            .client()
            .arg("fresh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut input = child
            .stdin
            .take()
            .ok_or_else(|| io::Error::other("psql has no input"))?;
        let script = script.to_owned();
        let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
        let output = child.wait_with_output()?;
        let written = writer
            .join()
            .map_err(|_| io::Error::other("the writer panicked"))?;
        written?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((text(output.stdout), text(output.stderr)))
    }

    fn client(&self) -> Command {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-U", "postgres", "-h"]).arg(self.folder.path());
        psql.env("LC_ALL", "C.UTF-8")
            .env("PGOPTIONS", "-c lc_messages=C")
            .env("PGCLIENTENCODING", "UTF8");
        psql
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.data();
        let stopped = self
            .command("pg_ctl")
            .args(["stop", "-s", "-m", "immediate", "-D"])
            .arg(data)
            .status();
        if !stopped.is_ok_and(|status| status.success()) {
            eprintln!(
                "the PostgreSQL server in {} could not be stopped",
                self.folder.path().display()
            );
        }
    }
}

/// The folder of the server's programs.
fn programs() -> Option<PathBuf> {
    let debian = PathBuf::from(DEBIAN);
    if debian.join("initdb").exists() {
        return Some(debian);
    }
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())?;
    let version = Command::new(found.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    String::from_utf8_lossy(&version.stdout)
        .contains(" 15.")
        .then_some(found)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn check(output: &Output) -> io::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(said))
}
