//! Answers: frames to the client. The frequent ones are written by hand, the others as `pgwire` has them.

use super::{binary, types};
use bytes::{BufMut, BytesMut};
use godb::{DataType, Error, Notice, Severity, TransactionState, Value, write_value};
use pgwire::messages::Message;
use pgwire::messages::data::{FieldDescription, ParameterDescription, RowDescription};
use pgwire::messages::response::{ErrorResponse, NoticeResponse};

/// Writes a message of `pgwire`'s. Those that are written here are of bounded size, so that cannot fail; a message that was too long would be left out.
pub fn put(out: &mut BytesMut, message: &impl Message) {
    let begin = out.len();
    if let Err(error) = message.encode(out) {
        out.truncate(begin);
        tracing::error!(%error, "an answer cannot be written");
    }
}

/// A frame around what `body` writes.
fn frame(out: &mut BytesMut, kind: u8, body: impl FnOnce(&mut BytesMut)) {
    out.put_u8(kind);
    let begin = out.len();
    out.put_i32(0);
    body(out);
    let length = i32::try_from(out.len() - begin).unwrap_or(i32::MAX);
    out[begin..begin + 4].copy_from_slice(&length.to_be_bytes());
}

/// A frame without a body: ParseComplete `1`, BindComplete `2`, CloseComplete `3`, NoData `n`, PortalSuspended `s`, EmptyQueryResponse `I`, CopyDone `c`.
pub fn empty(out: &mut BytesMut, kind: u8) {
    frame(out, kind, |_| {});
}

/// CommandComplete.
pub fn complete(out: &mut BytesMut, tag: &str) {
    frame(out, b'C', |out| {
        out.put_slice(tag.as_bytes());
        out.put_u8(0);
    });
}

/// ReadyForQuery.
pub fn ready(out: &mut BytesMut, state: TransactionState) {
    frame(out, b'Z', |out| {
        out.put_u8(match state {
            TransactionState::Idle => b'I',
            TransactionState::Open => b'T',
            TransactionState::Failed => b'E',
        });
    });
}

/// ParameterStatus.
pub fn status(out: &mut BytesMut, name: &str, value: &str) {
    frame(out, b'S', |out| {
        for text in [name, value] {
            out.put_slice(text.as_bytes());
            out.put_u8(0);
        }
    });
}

/// CopyData.
pub fn copy_data(out: &mut BytesMut, data: &[u8]) {
    frame(out, b'd', |out| out.put_slice(data));
}

/// CopyInResponse `G` or CopyOutResponse `H`.
pub fn copy_begins(out: &mut BytesMut, kind: u8, binary: bool, columns: usize) {
    frame(out, kind, |out| {
        out.put_u8(u8::from(binary));
        out.put_u16(u16::try_from(columns).unwrap_or(u16::MAX));
        (0..columns.min(u16::MAX.into())).for_each(|_| out.put_u16(binary.into()));
    });
}

/// Which format each column travels in: none given, one for all, or one for each.
#[derive(Clone, Debug, Default)]
pub struct Formats(Vec<i16>);

impl Formats {
    /// For so many columns.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(codes: Vec<i16>, columns: usize, what: &str) -> Result<Self, String> {
        if codes.iter().any(|code| !matches!(code, 0 | 1)) {
            return Err(format!("unsupported format code in {what}"));
        }
        if codes.len() > 1 && codes.len() != columns {
            return Err(format!(
                "bind message has {} {what} formats but {columns} columns",
                codes.len()
            ));
        }
        Ok(Self(codes))
    }

    /// Whether a column is binary.
    #[must_use]
    pub fn is_binary(&self, at: usize) -> bool {
        let code = if self.0.len() == 1 {
            self.0.first()
        } else {
            self.0.get(at)
        };
        code == Some(&1)
    }
}

/// RowDescription.
pub fn columns<'a>(
    out: &mut BytesMut,
    columns: impl Iterator<Item = (&'a str, DataType)>,
    formats: &Formats,
) {
    let fields = columns.enumerate().map(|(at, (name, ty))| {
        let (number, size, modifier) = types::describe(ty);
        FieldDescription::new(
            name.to_owned(),
            0,
            0,
            number,
            size,
            modifier,
            formats.is_binary(at).into(),
        )
    });
    put(out, &RowDescription::new(fields.collect()));
}

/// ParameterDescription.
pub fn parameters(out: &mut BytesMut, parameters: &[DataType]) {
    let numbers = parameters.iter().map(|ty| types::describe(*ty).0);
    put(out, &ParameterDescription::new(numbers.collect()));
}

/// DataRow. `scratch` is for values that are written as text first.
pub fn row(
    out: &mut BytesMut,
    values: &[Value],
    types: &[DataType],
    formats: &Formats,
    scratch: &mut Vec<u8>,
) {
    frame(out, b'D', |out| {
        out.put_u16(u16::try_from(values.len()).unwrap_or(u16::MAX));
        for (at, (value, ty)) in values.iter().zip(types).enumerate() {
            if value.is_null() {
                out.put_i32(-1);
                continue;
            }
            let begin = out.len();
            out.put_i32(0);
            if !formats.is_binary(at) || binary::write(value, *ty, scratch, out).is_none() {
                out.truncate(begin + 4);
                scratch.clear();
                write_value(value, *ty, scratch);
                out.put_slice(scratch);
            }
            let length = i32::try_from(out.len() - begin - 4).unwrap_or(i32::MAX);
            out[begin..begin + 4].copy_from_slice(&length.to_be_bytes());
        }
    });
}

/// What went wrong, for the client.
#[derive(Clone, Debug)]
pub struct Problem {
    /// `ERROR` or `FATAL`.
    pub severity: &'static str,
    /// The SQLSTATE.
    pub code: &'static str,
    /// The message.
    pub message: String,
    /// Detail, hint and context, by their field letters.
    pub more: Vec<(u8, String)>,
    /// The position in the statement, in characters from 1.
    pub position: Option<usize>,
}

impl Problem {
    /// An error of the protocol or the session.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: "ERROR",
            code,
            message: message.into(),
            more: Vec::new(),
            position: None,
        }
    }

    /// One after which the connection ends.
    pub fn fatal(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: "FATAL",
            ..Self::error(code, message)
        }
    }

    /// Counts the position from the beginning of the text in which the statement stands.
    #[must_use]
    pub fn behind(mut self, characters: usize) -> Self {
        self.position = self.position.map(|position| position + characters);
        self
    }

    /// ErrorResponse.
    pub fn write(&self, out: &mut BytesMut) {
        let mut fields = vec![
            (b'S', self.severity.to_owned()),
            (b'V', self.severity.to_owned()),
            (b'C', self.code.to_owned()),
            (b'M', without_zero(&self.message)),
        ];
        fields.extend(self.more.iter().map(|(field, text)| (*field, without_zero(text))));
        fields.extend(self.position.map(|position| (b'P', position.to_string())));
        put(out, &ErrorResponse::new(fields));
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let more = [
            (b'D', error.detail()),
            (b'H', error.hint()),
            (b'W', error.context()),
        ];
        Self {
            more: more
                .into_iter()
                .filter_map(|(field, text)| Some((field, text?.to_owned())))
                .collect(),
            position: error.position(),
            ..Self::error(error.sqlstate(), error.to_string())
        }
    }
}

/// A zero byte would end the field.
fn without_zero(text: &str) -> String {
    text.replace('\0', "")
}

/// NoticeResponse.
pub fn notice(out: &mut BytesMut, notice: &Notice) {
    let severity = match notice.severity {
        Severity::Notice => "NOTICE",
        Severity::Warning => "WARNING",
    };
    let fields = vec![
        (b'S', severity.to_owned()),
        (b'V', severity.to_owned()),
        (b'C', notice.state.0.to_owned()),
        (b'M', without_zero(&notice.message)),
    ];
    put(out, &NoticeResponse::new(fields));
}
