//! CREATE, ALTER and DROP ROLE.
//!
//! Who is not a superuser may make and change roles when it has CREATEROLE, but no superusers; and everybody may change its own password, as in PostgreSQL.

use super::{Ddl, Done};
use crate::catalog::{FIRST_ROLE, Role};
use crate::error::{Result, SqlError, state};
use crate::parser::{RoleOptions, RoleStatement};
use crate::session::Identity;
use crate::types::DataType;
use crate::value::Value;
use std::sync::Arc;

/// Makes verifiers of passwords: a port, so that this crate has no cryptography of its own.
pub trait Passwords: Send + Sync {
    /// What proves that somebody knows the password, with a new salt: `SCRAM-SHA-256$iterations:salt$stored key:server key`.
    ///
    /// # Errors
    /// `0A000` where passwords cannot be dealt with.
    fn verifier(&self, password: &str) -> Result<String>;
    /// Whether the text is such a verifier already.
    fn is_verifier(&self, text: &str) -> bool;
}

impl Ddl<'_> {
    pub(super) fn role_statement(&mut self, statement: &RoleStatement) -> Result<Done> {
        match statement {
            RoleStatement::Create(name, options) => self.create_role(name, options),
            RoleStatement::Alter(name, options) => self.alter_role(name, options),
            RoleStatement::Rename(from, to) => self.rename_role(from, to),
            RoleStatement::Drop(names, if_exists) => self.drop_roles(names, *if_exists),
        }
    }

    fn create_role(&mut self, name: &str, options: &RoleOptions) -> Result<Done> {
        self.permit("create role", options, None)?;
        check_name(name)?;
        if self.stored().role(name)?.is_some() {
            let message = format!("role \"{name}\" already exists");
            return Err(SqlError::new(state::DUPLICATE_OBJECT, message));
        }
        let id = self.catalog().new_table_id()?;
        let mut role = Role::new(id, name);
        let notice = self.change_role(&mut role, options)?;
        self.catalog().put_role(&role)?;
        Ok(Done::nothing("CREATE ROLE", notice))
    }

    fn alter_role(&mut self, name: &str, options: &RoleOptions) -> Result<Done> {
        let name = self.named_role(name);
        let mut role = self.stored().role(&name)?.ok_or_else(|| no_role(&name))?;
        self.permit("alter role", options, Some(&role))?;
        let notice = self.change_role(&mut role, options)?;
        if name == FIRST_ROLE && !(role.login && role.superuser) {
            let message = format!("role \"{name}\" must stay a superuser that can log in");
            return Err(SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, message));
        }
        self.catalog().put_role(&role)?;
        Ok(Done::nothing("ALTER ROLE", notice))
    }

    fn rename_role(&mut self, from: &str, to: &str) -> Result<Done> {
        let mut role = self.stored().role(from)?.ok_or_else(|| no_role(from))?;
        self.permit("rename role", &RoleOptions::default(), Some(&role))?;
        check_name(to)?;
        if from == FIRST_ROLE || *self.identity().user == *from {
            let message = "session user cannot be renamed";
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
        }
        if self.stored().role(to)?.is_some() {
            let message = format!("role \"{to}\" already exists");
            return Err(SqlError::new(state::DUPLICATE_OBJECT, message));
        }
        self.catalog().remove_role(from)?;
        to.clone_into(&mut role.name);
        self.catalog().put_role(&role)?;
        Ok(Done::nothing("ALTER ROLE", None))
    }

    fn drop_roles(&mut self, names: &[String], if_exists: bool) -> Result<Done> {
        let mut notices = Vec::new();
        for name in names {
            let Some(role) = self.stored().role(name)? else {
                if if_exists {
                    notices.push(format!("role \"{name}\" does not exist, skipping"));
                    continue;
                }
                return Err(no_role(name));
            };
            self.permit("drop role", &RoleOptions::default(), Some(&role))?;
            if *self.identity().user == **name {
                return Err(SqlError::new(
                    state::OBJECT_IN_USE,
                    "current user cannot be dropped",
                ));
            }
            if name == FIRST_ROLE {
                let message =
                    format!("cannot drop role {name} because it is required by the database system");
                return Err(SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, message));
            }
            self.catalog().remove_role(name)?;
        }
        let notice = (!notices.is_empty()).then(|| notices.join("\n"));
        Ok(Done::nothing("DROP ROLE", notice))
    }

    fn identity(&self) -> Arc<Identity> {
        self.statement.context().identity()
    }

    /// `current_user` and its like stand for whoever uses the session.
    fn named_role(&self, name: &str) -> String {
        match name {
            "current_user" | "current_role" | "session_user" => self.identity().user.to_string(),
            other => other.to_owned(),
        }
    }

    /// Fails when the session's user may not do this to the role.
    fn permit(&self, what: &str, options: &RoleOptions, role: Option<&Role>) -> Result<()> {
        let user = self.identity();
        if user.superuser {
            return Ok(());
        }
        let me = self.stored().role(&user.user)?;
        let own_password = what == "alter role"
            && role.is_some_and(|role| *role.name == *user.user)
            && says_only_password(options);
        let raises = options.superuser.is_some()
            || options.replication.is_some()
            || options.bypass_rls.is_some()
            || role.is_some_and(|role| role.superuser);
        let may = me.is_some_and(|me| me.superuser || me.create_role && !raises);
        if may || own_password {
            return Ok(());
        }
        let message = format!("permission denied to {what}");
        Err(SqlError::new(state::INSUFFICIENT_PRIVILEGE, message))
    }

    /// Makes the role what the options say; returns what the user should be told.
    fn change_role(&self, role: &mut Role, options: &RoleOptions) -> Result<Option<String>> {
        let flags = [
            (&mut role.login, options.login),
            (&mut role.superuser, options.superuser),
            (&mut role.create_db, options.create_db),
            (&mut role.create_role, options.create_role),
            (&mut role.inherit, options.inherit),
            (&mut role.replication, options.replication),
            (&mut role.bypass_rls, options.bypass_rls),
        ];
        for (flag, said) in flags {
            *flag = said.unwrap_or(*flag);
        }
        role.connection_limit = options.connection_limit.unwrap_or(role.connection_limit);
        if let Some(until) = &options.valid_until {
            role.valid_until = match crate::text::from_text(until, DataType::TimestampTz)? {
                Value::Int(micros) => Some(micros),
                _ => None,
            };
        }
        let Some(password) = &options.password else {
            return Ok(None);
        };
        let password = password.as_ref().map(|password| password.0.as_str());
        role.verifier = password
            .filter(|text| !text.is_empty())
            .map(|text| self.verifier(text))
            .transpose()?;
        let empty = password == Some("");
        Ok(empty.then(|| "empty string is not a valid password, clearing password".to_owned()))
    }

    /// A verifier of the password; one that is written out is taken as it is.
    fn verifier(&self, text: &str) -> Result<String> {
        if text.contains('\0') {
            let message = "a password cannot contain a zero byte";
            return Err(SqlError::new(state::CHARACTER_NOT_IN_REPERTOIRE, message));
        }
        let Some(passwords) = self.passwords else {
            return Err(SqlError::unsupported("a password for a role in this build"));
        };
        if passwords.is_verifier(text) {
            return Ok(text.to_owned());
        }
        let md5 = text.strip_prefix("md5").unwrap_or("");
        if md5.len() == 32 && md5.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(SqlError::unsupported("an MD5 password"));
        }
        passwords.verifier(text)
    }
}

fn says_only_password(options: &RoleOptions) -> bool {
    let flags = [
        options.login,
        options.superuser,
        options.create_db,
        options.create_role,
        options.inherit,
        options.replication,
        options.bypass_rls,
    ];
    flags.iter().all(Option::is_none) && options.connection_limit.is_none() && options.valid_until.is_none()
}

fn check_name(name: &str) -> Result<()> {
    if matches!(name, "public" | "none") || name.starts_with("pg_") {
        let message = format!("role name \"{name}\" is reserved");
        return Err(SqlError::new(state::RESERVED_NAME, message));
    }
    super::names::checked(name.to_owned()).map(drop)
}

fn no_role(name: &str) -> SqlError {
    SqlError::new(state::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"))
}
