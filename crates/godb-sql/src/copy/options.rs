//! The options of COPY.

use crate::ddl::fold;
use crate::error::{Result, SqlError, state};
use sqlparser::ast::{CopyLegacyCsvOption, CopyLegacyOption, CopyOption};

/// Which format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Fields between tabs, backslash escapes.
    Text,
    /// Comma-separated values.
    Csv,
}

/// How a file is written or read.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) format: Format,
    pub(crate) delimiter: u8,
    pub(crate) null: String,
    pub(crate) header: bool,
    pub(crate) quote: u8,
    pub(crate) escape: u8,
    pub(crate) force_quote: Vec<String>,
    pub(crate) force_not_null: Vec<String>,
    pub(crate) force_null: Vec<String>,
}

/// Options as they are written; what is not there has a default that depends on the format.
#[derive(Default)]
struct Written {
    csv: bool,
    delimiter: Option<char>,
    null: Option<String>,
    header: bool,
    quote: Option<char>,
    escape: Option<char>,
    force_quote: Vec<String>,
    force_not_null: Vec<String>,
    force_null: Vec<String>,
}

impl Options {
    /// Reads the options; `to` says that a file is written.
    pub(crate) fn new(options: &[CopyOption], legacy: &[CopyLegacyOption], to: bool) -> Result<Self> {
        let mut written = Written::default();
        options.iter().try_for_each(|option| written.option(option, to))?;
        legacy.iter().try_for_each(|option| written.legacy(option, to))?;
        written.finish()
    }
}

impl Written {
    fn option(&mut self, option: &CopyOption, to: bool) -> Result<()> {
        let names = |names: &[sqlparser::ast::Ident]| names.iter().map(fold).collect();
        match option {
            CopyOption::Format(name) => match fold(name).as_str() {
                "csv" => self.csv = true,
                "text" => self.csv = false,
                "binary" => return Err(SqlError::unsupported("COPY in binary format")),
                other => return Err(invalid(format!("COPY format \"{other}\" not recognized"))),
            },
            CopyOption::Delimiter(delimiter) => self.delimiter = Some(*delimiter),
            CopyOption::Null(null) => self.null = Some(null.clone()),
            CopyOption::Header(header) => self.header = *header,
            CopyOption::Quote(quote) => self.quote = Some(*quote),
            CopyOption::Escape(escape) => self.escape = Some(*escape),
            CopyOption::ForceQuote(columns) if to => self.force_quote = names(columns),
            CopyOption::ForceNotNull(columns) if !to => self.force_not_null = names(columns),
            CopyOption::ForceNull(columns) if !to => self.force_null = names(columns),
            // Freezing permits to skip work for later readers, which is not needed here.
            CopyOption::Freeze(_) => {}
            CopyOption::Encoding(name) if is_utf8(name) => {}
            other => return Err(SqlError::unsupported(format!("the COPY option {other}"))),
        }
        Ok(())
    }

    fn legacy(&mut self, option: &CopyLegacyOption, to: bool) -> Result<()> {
        match option {
            CopyLegacyOption::Csv(options) => {
                self.csv = true;
                options
                    .iter()
                    .try_for_each(|option| self.legacy_csv(option, to))?;
            }
            CopyLegacyOption::Header => self.header = true,
            CopyLegacyOption::Delimiter(delimiter) => self.delimiter = Some(*delimiter),
            CopyLegacyOption::Null(null) => self.null = Some(null.clone()),
            other => return Err(SqlError::unsupported(format!("the COPY option {other}"))),
        }
        Ok(())
    }

    fn legacy_csv(&mut self, option: &CopyLegacyCsvOption, to: bool) -> Result<()> {
        let names = |names: &[sqlparser::ast::Ident]| names.iter().map(fold).collect();
        match option {
            CopyLegacyCsvOption::Header => self.header = true,
            CopyLegacyCsvOption::Quote(quote) => self.quote = Some(*quote),
            CopyLegacyCsvOption::Escape(escape) => self.escape = Some(*escape),
            CopyLegacyCsvOption::ForceQuote(columns) if to => self.force_quote = names(columns),
            CopyLegacyCsvOption::ForceNotNull(columns) if !to => self.force_not_null = names(columns),
            other => return Err(SqlError::unsupported(format!("the COPY option {other}"))),
        }
        Ok(())
    }

    fn finish(self) -> Result<Options> {
        let format = if self.csv { Format::Csv } else { Format::Text };
        let csv_only = self.quote.is_some()
            || self.escape.is_some()
            || !(self.force_quote.is_empty() && self.force_not_null.is_empty() && self.force_null.is_empty());
        if csv_only && !self.csv {
            return Err(SqlError::unsupported("quoting in a COPY that is not CSV"));
        }
        let quote = one_byte(self.quote.unwrap_or('"'), "quote")?;
        let options = Options {
            format,
            delimiter: one_byte(
                self.delimiter.unwrap_or(if self.csv { ',' } else { '\t' }),
                "delimiter",
            )?,
            null: self
                .null
                .unwrap_or_else(|| if self.csv { String::new() } else { "\\N".to_owned() }),
            header: self.header,
            quote,
            escape: self
                .escape
                .map_or(Ok(quote), |escape| one_byte(escape, "escape"))?,
            force_quote: self.force_quote,
            force_not_null: self.force_not_null,
            force_null: self.force_null,
        };
        options.consistent()?;
        Ok(options)
    }
}

impl Options {
    fn consistent(&self) -> Result<()> {
        let forbidden = match self.format {
            Format::Csv => self.delimiter == self.quote,
            Format::Text => {
                self.delimiter == b'\\'
                    || self.delimiter.is_ascii_lowercase()
                    || self.delimiter.is_ascii_digit()
                    || self.delimiter == b'.'
            }
        };
        if forbidden || matches!(self.delimiter, b'\n' | b'\r') {
            return Err(invalid(
                "COPY delimiter cannot be what the format uses otherwise".to_owned(),
            ));
        }
        if self.null.contains(['\n', '\r']) {
            return Err(invalid(
                "COPY null representation cannot use newline or carriage return".to_owned(),
            ));
        }
        if self.null.bytes().any(|byte| byte == self.delimiter) {
            return Err(invalid(
                "COPY delimiter must not appear in the NULL specification".to_owned(),
            ));
        }
        if self.format == Format::Csv && self.null.bytes().any(|byte| byte == self.quote) {
            return Err(invalid(
                "CSV quote character must not appear in the NULL specification".to_owned(),
            ));
        }
        Ok(())
    }
}

fn is_utf8(name: &str) -> bool {
    matches!(name.to_ascii_lowercase().as_str(), "utf8" | "utf-8")
}

fn one_byte(character: char, what: &str) -> Result<u8> {
    u8::try_from(character).ok().filter(u8::is_ascii).ok_or_else(|| {
        SqlError::unsupported(format!("a COPY {what} that is not a single one-byte character"))
    })
}

fn invalid(message: String) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}
