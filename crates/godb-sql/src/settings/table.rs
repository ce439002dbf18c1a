//! The settings there are. Names, units, bounds and defaults are PostgreSQL 15's.

use super::definition::Definition;
use super::definition::Kind::{Bool, DateStyle, Encoding, Enum, Int, Names, Text, TimeZone};
use super::definition::Rule::{Acts, AtStart, Fixed, Only, Vacuous};
use super::definition::Unit::{Kilobytes, Millis, None};

const fn d(
    name: &'static str,
    kind: super::definition::Kind,
    rule: super::definition::Rule,
    default: &'static str,
    about: &'static str,
) -> Definition {
    Definition::new(name, kind, rule, default, about)
}

const MAX: i64 = i32::MAX as i64;
/// The names of isolation levels.
pub(super) const LEVELS: &[&str] = &[
    "serializable",
    "repeatable read",
    "read committed",
    "read uncommitted",
];
/// From the least to the most important.
pub(super) const MESSAGES: &[&str] = &[
    "debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error",
];
const C: &[&str] = &["C", "POSIX"];

/// All of them, by name.
#[rustfmt::skip]
pub(super) static TABLE: &[Definition] = &[
    d("application_name", Text, Acts, "", "Sets the application name to be reported in statistics and logs.").reported(),
    d("bytea_output", Enum(&["escape", "hex"]), Only(&["hex"]), "hex", "Sets the output format for bytea."),
    d("check_function_bodies", Bool, Vacuous, "on", "Check routine bodies during CREATE FUNCTION and CREATE PROCEDURE."),
    d("client_encoding", Encoding, Only(&["UTF8"]), "UTF8", "Sets the client's character set encoding.").reported(),
    d("client_min_messages", Enum(MESSAGES), Acts, "notice", "Sets the message levels that are sent to the client."),
    d("data_checksums", Bool, Fixed, "on", "Shows whether data checksums are turned on for this cluster."),
    d("DateStyle", DateStyle, Acts, "ISO, MDY", "Sets the display format for date and time values.").reported(),
    d("default_table_access_method", Text, Only(&["heap"]), "heap", "Sets the default table access method for new tables."),
    d("default_tablespace", Text, Only(&[""]), "", "Sets the default tablespace to create tables and indexes in."),
    d("default_transaction_deferrable", Bool, Acts, "off", "Sets the default deferrable status of new transactions."),
    d("default_transaction_isolation", Enum(LEVELS), Acts, "", "Sets the transaction isolation level of each new transaction."),
    d("default_transaction_read_only", Bool, Acts, "off", "Sets the default read-only status of new transactions.").reported(),
    d("escape_string_warning", Bool, Vacuous, "on", "Warn about backslash escapes in ordinary string literals."),
    d("extra_float_digits", Int(None, -15, 3), Only(&["1", "2", "3"]), "1", "Sets the number of digits displayed for floating-point values."),
    d("idle_in_transaction_session_timeout", Int(Millis, 0, MAX), Acts, "0", "Sets the maximum allowed idle time between queries, when in a transaction."),
    d("idle_session_timeout", Int(Millis, 0, MAX), Acts, "0", "Sets the maximum allowed idle time between queries, when not in a transaction."),
    d("in_hot_standby", Bool, Fixed, "off", "Shows whether hot standby is currently active.").reported(),
    d("integer_datetimes", Bool, Fixed, "on", "Shows whether datetimes are integer based.").reported(),
    d("IntervalStyle", Enum(&["postgres", "postgres_verbose", "sql_standard", "iso_8601"]), Only(&["postgres"]), "postgres", "Sets the display format for interval values.").reported(),
    d("is_superuser", Bool, Fixed, "", "Shows whether the current user is a superuser.").reported(),
    d("jit", Bool, Only(&["off"]), "off", "Allow JIT compilation."),
    d("lc_collate", Text, Fixed, "C", "Shows the collation order locale."),
    d("lc_ctype", Text, Fixed, "C", "Shows the character classification and case conversion locale."),
    d("lc_messages", Text, Only(C), "C", "Sets the language in which messages are displayed."),
    d("lc_monetary", Text, Only(C), "C", "Sets the locale for formatting monetary amounts."),
    d("lc_numeric", Text, Only(C), "C", "Sets the locale for formatting numbers."),
    d("lc_time", Text, Only(C), "C", "Sets the locale for formatting date and time values."),
    d("lock_timeout", Int(Millis, 0, MAX), Acts, "", "Sets the maximum allowed duration of any wait for a lock."),
    d("max_connections", Int(None, 1, MAX), AtStart, "", "Sets the maximum number of concurrent connections."),
    d("max_identifier_length", Int(None, 63, 63), Fixed, "63", "Shows the maximum identifier length."),
    d("max_index_keys", Int(None, 32, 32), Fixed, "32", "Shows the maximum number of index keys."),
    d("password_encryption", Enum(&["md5", "scram-sha-256"]), Only(&["scram-sha-256"]), "scram-sha-256", "Chooses the algorithm for encrypting passwords."),
    d("plan_cache_mode", Enum(&["auto", "force_generic_plan", "force_custom_plan"]), Only(&["auto"]), "auto", "Controls the planner's selection of custom or generic plan."),
    d("role", Text, Only(&["none"]), "none", "Sets the current role."),
    d("row_security", Bool, Vacuous, "on", "Enable row security."),
    d("search_path", Names, Acts, "\"$user\", public", "Sets the schema search order for names that are not schema-qualified."),
    d("server_encoding", Text, Fixed, "UTF8", "Shows the server (database) character set encoding.").reported(),
    d("server_version", Text, Fixed, super::SERVER_VERSION, "Shows the server version.").reported(),
    d("server_version_num", Int(None, 0, MAX), Fixed, super::SERVER_VERSION_NUMBER, "Shows the server version as an integer."),
    d("session_authorization", Text, Fixed, "", "Sets the session user name.").reported(),
    d("session_replication_role", Enum(&["origin", "replica", "local"]), Only(&["origin"]), "origin", "Sets the session's behavior for triggers and rewrite rules."),
    d("standard_conforming_strings", Bool, Only(&["on"]), "on", "Causes '...' strings to treat backslashes literally.").reported(),
    d("statement_timeout", Int(Millis, 0, MAX), Acts, "0", "Sets the maximum allowed duration of any statement."),
    d("synchronous_commit", Enum(&["local", "remote_write", "remote_apply", "on", "off"]), Only(&["on", "local", "remote_write", "remote_apply"]), "on", "Sets the current transaction's synchronization level."),
    d("TimeZone", TimeZone, Acts, "UTC", "Sets the time zone for displaying and interpreting time stamps.").reported(),
    d("transaction_deferrable", Bool, Acts, "", "Whether to defer a read-only serializable transaction until it can be executed with no possible serialization failures."),
    d("transaction_isolation", Enum(LEVELS), Acts, "", "Sets the current transaction's isolation level."),
    d("transaction_read_only", Bool, Acts, "", "Sets the current transaction's read-only status."),
    d("work_mem", Int(Kilobytes, 64, MAX), Acts, "", "Sets the maximum memory to be used for query workspaces."),
    d("xmloption", Enum(&["content", "document"]), Vacuous, "content", "Sets whether XML data in implicit parsing and serialization operations is to be considered as documents or content fragments."),
];
