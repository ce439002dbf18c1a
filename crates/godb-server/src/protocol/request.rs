//! [`Request`]: what a client asks, read from the body of a frame.
//!
//! Bodies are hostile: every count and length in them is held against the bytes that are there, before anything is taken or reserved.

use bytes::{Buf, Bytes};

/// A message of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A text of statements.
    Query(String),
    /// Prepare a statement.
    Parse {
        /// Its name; empty for the one without.
        name: String,
        /// Its text.
        text: String,
        /// The types of its parameters; zero where the server shall say.
        types: Vec<u32>,
    },
    /// Make a portal of a statement.
    Bind(Bind),
    /// Tell of a statement (`S`) or portal (`P`).
    Describe(Target, String),
    /// Forget it.
    Close(Target, String),
    /// Run a portal.
    Execute {
        /// Which.
        portal: String,
        /// How many rows at most; none is all.
        limit: Option<usize>,
    },
    /// The end of a series.
    Sync,
    /// Send what is there.
    Flush,
    /// Goodbye.
    Terminate,
    /// A piece of COPY's data.
    CopyData(Bytes),
    /// COPY's data has ended.
    CopyDone,
    /// COPY's data cannot be sent.
    CopyFail(String),
    /// A part of logging in.
    Password(Bytes),
}

/// What Describe and Close speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A prepared statement.
    Statement,
    /// A portal.
    Portal,
}

/// The body of a Bind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bind {
    /// The portal's name.
    pub portal: String,
    /// The statement's name.
    pub statement: String,
    /// Formats of parameters: none, one for all, or one for each.
    pub formats: Vec<i16>,
    /// The parameters; `None` is NULL.
    pub values: Vec<Option<Bytes>>,
    /// Formats of result columns, in the same way.
    pub results: Vec<i16>,
}

/// The frame is not what its type says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

type Read<T> = Result<T, Malformed>;

impl Request {
    /// Reads the body of a frame of type `kind`.
    pub fn read(kind: u8, body: Bytes) -> Read<Self> {
        let mut body = Body(body);
        let request = match kind {
            b'Q' => Self::Query(body.string()?),
            b'P' => Self::Parse {
                name: body.string()?,
                text: body.string()?,
                types: body.list(4, |body| body.number().map(i32::cast_unsigned))?,
            },
            b'B' => Self::Bind(Bind {
                portal: body.string()?,
                statement: body.string()?,
                formats: body.list(2, Body::short)?,
                values: body.list(4, Body::value)?,
                results: body.list(2, Body::short)?,
            }),
            b'D' => Self::Describe(body.target()?, body.string()?),
            b'C' => Self::Close(body.target()?, body.string()?),
            b'E' => Self::Execute {
                portal: body.string()?,
                limit: usize::try_from(body.number()?).ok().filter(|limit| *limit > 0),
            },
            b'S' => Self::Sync,
            b'H' => Self::Flush,
            b'X' => Self::Terminate,
            b'd' => return Ok(Self::CopyData(body.0)),
            b'c' => Self::CopyDone,
            b'f' => Self::CopyFail(body.string()?),
            b'p' => return Ok(Self::Password(body.0)),
            _ => return Err(Malformed("invalid frontend message type")),
        };
        if body.0.is_empty() {
            Ok(request)
        } else {
            Err(Malformed("invalid message format"))
        }
    }
}

/// What is left of a body.
pub(crate) struct Body(pub(crate) Bytes);

impl Body {
    fn need(&self, bytes: usize) -> Read<()> {
        if self.0.len() < bytes {
            return Err(Malformed("insufficient data left in message"));
        }
        Ok(())
    }

    /// Text up to a zero byte.
    pub(crate) fn string(&mut self) -> Read<String> {
        let end = self.0.iter().position(|byte| *byte == 0);
        let end = end.ok_or(Malformed("invalid string in message"))?;
        let text = self.0.split_to(end);
        self.0.advance(1);
        let text = std::str::from_utf8(&text)
            .map_err(|_| Malformed("invalid byte sequence for encoding \"UTF8\""))?;
        Ok(text.to_owned())
    }

    fn short(&mut self) -> Read<i16> {
        self.need(2)?;
        Ok(self.0.get_i16())
    }

    /// A number of four bytes.
    pub(crate) fn number(&mut self) -> Read<i32> {
        self.need(4)?;
        Ok(self.0.get_i32())
    }

    fn target(&mut self) -> Read<Target> {
        self.need(1)?;
        match self.0.get_u8() {
            b'S' => Ok(Target::Statement),
            b'P' => Ok(Target::Portal),
            _ => Err(Malformed("invalid message subtype")),
        }
    }

    /// A count of two bytes, and so many items of at least `least` bytes each.
    fn list<T>(&mut self, least: usize, mut item: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let count = usize::from(self.short()?.cast_unsigned());
        self.need(count * least)?;
        (0..count).map(|_| item(self)).collect()
    }

    fn value(&mut self) -> Read<Option<Bytes>> {
        match self.number()? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| Malformed("invalid parameter length"))?;
                self.need(length)?;
                Ok(Some(self.0.split_to(length)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: u8, body: &'static [u8]) -> Read<Request> {
        Request::read(kind, Bytes::from_static(body))
    }

    #[test]
    fn bodies_that_lie_are_refused() {
        for (kind, body) in [
            (b'Q', &b"select 1"[..]),
            (b'Q', b"select \xff\0"),
            (b'Q', b"select 1\0more"),
            (b'P', b"\0select 1\0\xff\xff"),
            (b'P', b"\0select 1\0"),
            (b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xff\0\0"),
            (b'B', b"\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0"),
            (b'B', b"\0\0\0\0\xff\xff"),
            (b'D', b"X\0"),
            (b'E', b"\0\0"),
            (b'S', b"\0"),
            (b'!', b""),
        ] {
            assert!(read(kind, body).is_err(), "{} {body:?}", char::from(kind));
        }
    }

    #[test]
    fn a_bind_is_taken_apart() {
        let body = b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x02ab\xff\xff\xff\xff\0\x01\0\0";
        let wanted = Bind {
            portal: "p".to_owned(),
            statement: "s".to_owned(),
            formats: vec![1],
            values: vec![Some(Bytes::from_static(b"ab")), None],
            results: vec![0],
        };
        assert_eq!(read(b'B', body), Ok(Request::Bind(wanted)));
        let execute = Request::Execute {
            portal: String::new(),
            limit: None,
        };
        assert_eq!(read(b'E', b"\0\0\0\0\0"), Ok(execute));
    }
}
