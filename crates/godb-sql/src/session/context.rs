//! [`SessionContext`]: what functions may ask of the session that they run in, and change in it.
//!
//! A statement's rows can be read after the session has gone on, and in another thread. So what functions look at is shared between the session
//! and its statements, and behind a lock that is held for a moment.

use super::advisory::{AdvisoryHolder, AdvisoryLocks};
use super::registry::Registry;
use crate::settings::{Effects, Settings, Wired};
use godb_mvcc::sync::Mutex;
use godb_mvcc::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// Who uses a session, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name of the role that logged in: `session_user`.
    pub user: Arc<str>,
    /// The name under which the client knows the database: `current_database()`.
    pub database: Arc<str>,
    /// The number that stands for the session: `pg_backend_pid()`.
    pub process: i32,
    /// Everything is allowed to it.
    pub superuser: bool,
}

impl Default for Identity {
    /// In embedded use: the process itself.
    fn default() -> Self {
        Self {
            user: Arc::from("godb"),
            database: Arc::from("godb"),
            process: i32::try_from(std::process::id()).unwrap_or(i32::MAX),
            superuser: true,
        }
    }
}

/// What a session shares with the statements that it runs.
#[derive(Debug)]
pub struct SessionContext {
    identity: Mutex<Arc<Identity>>,
    settings: Mutex<Settings>,
    advisory: AdvisoryHolder,
    wired: Wired,
    registry: Arc<Registry>,
    /// Its statement waits for a lock.
    waits: AtomicBool,
}

impl SessionContext {
    pub(crate) fn new(wired: Wired, locks: Arc<AdvisoryLocks>, registry: Arc<Registry>) -> Self {
        Self {
            identity: Mutex::new(Arc::default()),
            settings: Mutex::new(Settings::new(wired)),
            advisory: AdvisoryHolder::new(locks),
            wired,
            registry,
            waits: AtomicBool::new(false),
        }
    }

    /// Who uses the session.
    #[must_use]
    pub fn identity(&self) -> Arc<Identity> {
        self.identity.lock().clone()
    }

    pub(crate) fn identify(self: &Arc<Self>, identity: Identity) {
        self.registry.enter(identity.process, self);
        self.settings.lock().set_user(&identity.user, identity.superuser);
        *self.identity.lock() = Arc::new(identity);
    }

    /// Looks at the settings, or changes them.
    pub(crate) fn settings<T>(&self, with: impl FnOnce(&mut Settings) -> T) -> T {
        with(&mut self.settings.lock())
    }

    /// The sessions of the database.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Notes that its statement waits for a lock, or goes on.
    pub(crate) fn set_waiting(&self, waits: bool) {
        self.waits.store(waits, Ordering::Release);
    }

    /// Whether its statement waits for a lock.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waits.load(Ordering::Acquire)
    }

    /// What it holds of the advisory locks.
    pub(crate) fn advisory(&self) -> &AdvisoryHolder {
        &self.advisory
    }

    /// How long it waits for a lock.
    pub(crate) fn lock_timeout(&self) -> Duration {
        self.effects().lock_timeout.unwrap_or(self.wired.lock_timeout)
    }

    /// What those settings that the engine heeds come to.
    pub(crate) fn effects(&self) -> Effects {
        *self.settings.lock().effects()
    }
}
