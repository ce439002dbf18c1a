//! [`Definition`]: what a setting is called, which values it takes, and what setting it does.

/// What values a setting takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// On or off.
    Bool,
    /// A whole number within bounds, in a unit.
    Int(Unit, i64, i64),
    /// One of these words.
    Enum(&'static [&'static str]),
    /// Any text.
    Text,
    /// Names, separated by commas; quoted where a name needs it.
    Names,
    /// `DateStyle`: an output format and an order of the fields, in any order.
    DateStyle,
    /// `TimeZone`: a name, an offset.
    TimeZone,
    /// `client_encoding`: a name of an encoding.
    Encoding,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Things.
    None,
    /// Milliseconds.
    Millis,
    /// Units of 1024 bytes.
    Kilobytes,
}

/// What comes of setting it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// It has its effect.
    Acts,
    /// What it is about does not exist here, so every value means the same.
    Vacuous,
    /// These values mean what godb does; any other is refused.
    Only(&'static [&'static str]),
    /// It says what is, and cannot be changed.
    Fixed,
    /// It is decided when the database is opened.
    AtStart,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definition {
    /// Its name, as PostgreSQL spells it.
    pub(crate) name: &'static str,
    /// What values it takes.
    pub(crate) kind: Kind,
    /// What comes of setting it.
    pub(crate) rule: Rule,
    /// Its value when nobody has set it. Empty also for those that the wiring or the session decides.
    pub(crate) default: &'static str,
    /// Clients are told whenever it changes.
    pub(crate) reported: bool,
    /// What it is, for SHOW ALL.
    pub(crate) about: &'static str,
}

impl Definition {
    /// A setting of which clients are told nothing.
    pub(super) const fn new(
        name: &'static str,
        kind: Kind,
        rule: Rule,
        default: &'static str,
        about: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            rule,
            default,
            reported: false,
            about,
        }
    }

    /// Clients are told whenever it changes.
    pub(super) const fn reported(mut self) -> Self {
        self.reported = true;
        self
    }
}

/// The setting of that name, in any case.
pub(crate) fn find(name: &str) -> Option<&'static Definition> {
    super::table::TABLE
        .iter()
        .find(|definition| definition.name.eq_ignore_ascii_case(name))
}
