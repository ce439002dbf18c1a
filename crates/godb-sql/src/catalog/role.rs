//! [`Role`]: somebody who may use the database.
//!
//! A password is never stored, only what proves that somebody knows it (a *verifier*, RFC 5802): who reads the file cannot log in with what he finds. One role is always there, the one that
//! embedded use goes by, whether it is stored or not.

use super::descriptor::{Reader, Writer};
use crate::error::Result;
use crate::storage::damaged;

/// The first byte of a description: the form it is written in.
const FORM: u8 = 1;

/// The role that is always there.
pub const FIRST_ROLE: &str = "godb";
/// Its number, as PostgreSQL's first role has it.
const FIRST_NUMBER: u32 = 10;

/// A role as the catalog stores it.
#[derive(Clone, PartialEq, Eq)]
pub struct Role {
    /// Its number, from the same series as tables'.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// It may log in.
    pub login: bool,
    /// Everything is allowed to it.
    pub superuser: bool,
    /// It may make databases.
    pub create_db: bool,
    /// It may make roles.
    pub create_role: bool,
    /// It has the rights of roles that it is a member of.
    pub inherit: bool,
    /// It may replicate.
    pub replication: bool,
    /// Row-level security does not hold it.
    pub bypass_rls: bool,
    /// How many sessions it may have; −1 is any number.
    pub connection_limit: i32,
    /// Until when its password is good, in microseconds since 1970-01-01 UTC.
    pub valid_until: Option<i64>,
    /// What proves that somebody knows its password, as PostgreSQL writes it: `SCRAM-SHA-256$iterations:salt$stored key:server key`.
    pub verifier: Option<String>,
}

impl std::fmt::Debug for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Role")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("login", &self.login)
            .field("superuser", &self.superuser)
            .field("has_password", &self.verifier.is_some())
            .finish_non_exhaustive()
    }
}

impl Role {
    /// A role that may nothing.
    pub(crate) fn new(id: u32, name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            login: false,
            superuser: false,
            create_db: false,
            create_role: false,
            inherit: true,
            replication: false,
            bypass_rls: false,
            connection_limit: -1,
            valid_until: None,
            verifier: None,
        }
    }

    /// The role that is always there, as long as nobody has changed it.
    pub(crate) fn first() -> Self {
        Self {
            login: true,
            superuser: true,
            create_db: true,
            create_role: true,
            replication: true,
            bypass_rls: true,
            ..Self::new(FIRST_NUMBER, FIRST_ROLE)
        }
    }

    fn flags(&self) -> [bool; 7] {
        [
            self.login,
            self.superuser,
            self.create_db,
            self.create_role,
            self.inherit,
            self.replication,
            self.bypass_rls,
        ]
    }
}

pub(super) fn encode(role: &Role) -> Vec<u8> {
    let mut out = Writer(vec![FORM]);
    out.number(role.id);
    out.text(&role.name);
    role.flags().into_iter().for_each(|flag| out.flag(flag));
    out.signed(i64::from(role.connection_limit));
    out.flag(role.valid_until.is_some());
    out.signed(role.valid_until.unwrap_or(0));
    out.flag(role.verifier.is_some());
    out.text(role.verifier.as_deref().unwrap_or(""));
    out.0
}

pub(super) fn decode(bytes: &[u8]) -> Result<Role> {
    let mut read = Reader(bytes);
    if read.byte()? != FORM {
        return Err(damaged("role description"));
    }
    let mut role = Role::new(read.number()?, &read.text()?);
    for flag in [
        &mut role.login,
        &mut role.superuser,
        &mut role.create_db,
        &mut role.create_role,
        &mut role.inherit,
        &mut role.replication,
        &mut role.bypass_rls,
    ] {
        *flag = read.flag()?;
    }
    let limit = read.signed()?;
    role.connection_limit = i32::try_from(limit).map_err(|_| damaged("role description"))?;
    let limited = read.flag()?;
    role.valid_until = Some(read.signed()?).filter(|_| limited);
    let known = read.flag()?;
    role.verifier = Some(read.text()?).filter(|_| known);
    if read.0.is_empty() {
        Ok(role)
    } else {
        Err(damaged("role description"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_damage_is_an_error() {
        let role = Role {
            connection_limit: 7,
            valid_until: Some(-5),
            verifier: Some("SCRAM-SHA-256$…".to_owned()),
            ..Role::new(20_000, "ada")
        };
        let bytes = encode(&role);
        assert_eq!(decode(&bytes).unwrap(), role);
        assert_eq!(decode(&encode(&Role::first())).unwrap(), Role::first());
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err());
        }
        assert!(!format!("{role:?}").contains("SCRAM"));
    }
}
