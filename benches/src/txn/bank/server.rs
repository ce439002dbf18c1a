//! A PostgreSQL 15 server on a directory of its own, without a network, that syncs its commits.

use crate::Result;
use postgres::{Client, NoTls};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where Debian keeps the programs that are not in the path.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// A running server; dropping it ends it.
pub(super) struct Server {
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server with so much memory for pages; `None` when PostgreSQL 15 is not installed. Like the others it takes no checkpoint while it is measured.
    pub(super) fn start(memory: usize, place: Option<&Path>) -> Result<Option<Self>> {
        if !Path::new(PROGRAMS).join("initdb").exists() {
            return Ok(None);
        }
        let folder = match place {
            Some(place) => tempfile::tempdir_in(place)?,
            None => tempfile::tempdir()?,
        };
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()))?;
        }
        let server = Self { folder };
        let options = [
            "--locale=C",
            "--encoding=UTF8",
            "--auth=trust",
            "--username=postgres",
        ];
        run(server
            .command("initdb")
            .arg("-D")
            .arg(server.data())
            .args(options))?;
        let settings = format!(
            "-k {} -c listen_addresses= -c shared_buffers={}MB -c max_wal_size=8GB -c checkpoint_timeout=1h",
            server.folder.path().display(),
            memory >> 20
        );
        let mut start = server.command("pg_ctl");
        start.args(["start", "-w", "-s", "-o", &settings, "-l"]);
        start
            .arg(server.folder.path().join("log"))
            .arg("-D")
            .arg(server.data());
        run(&mut start)?;
        Ok(Some(server))
    }

    /// A connection.
    pub(super) fn connect(&self) -> Result<Client> {
        let mut config = Client::configure();
        config.host_path(self.folder.path()).user("postgres");
        Ok(config.connect(NoTls)?)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of the server's, run as another user when this one is root, which PostgreSQL refuses.
    fn command(&self, program: &str) -> Command {
        let path = Path::new(PROGRAMS).join(program);
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
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "-s", "-m", "immediate", "-D"])
            .arg(self.data());
        if let Err(error) = run(&mut stop) {
            println!("the PostgreSQL server could not be stopped: {error}");
        }
    }
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// Runs a program to its end. Its output goes nowhere: a server that it leaves behind would keep a pipe open.
fn run(command: &mut Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{command:?} ended with {status}").into())
}
