//! `format`: `%s`, `%I`, `%L`, with positions (`%1$s`) and widths (`%-10s`, `%*s`).

use super::concat::write_argument;
use super::pad::check_size;
use super::quote::{write_identifier, write_literal};
use crate::cast::char_count;
use crate::error::{Result, SqlError, state};
use crate::functions::Call;
use crate::vector::{Column, ColumnData};

/// One `%…` of a format.
struct Piece {
    position: Option<usize>,
    left: bool,
    width: Width,
    kind: u8,
}

enum Width {
    Fixed(usize),
    /// Taken from an argument: the next, or the one at a position.
    Argument(Option<usize>),
}

#[cold]
fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}

#[cold]
fn unterminated() -> SqlError {
    invalid("unterminated format() type specifier").hint("For a single \"%\" use \"%%\".")
}

fn number(rest: &mut &[u8]) -> Result<Option<usize>> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return Ok(None);
    }
    let text = std::str::from_utf8(&rest[..digits]).unwrap_or_default();
    *rest = &rest[digits..];
    let value: i32 = text
        .parse()
        .map_err(|_| SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range"))?;
    Ok(usize::try_from(value).ok())
}

fn position(value: usize) -> Result<usize> {
    if value == 0 {
        return Err(invalid(
            "format specifies argument 0, but arguments are numbered from 1",
        ));
    }
    Ok(value)
}

/// Reads what follows a percent sign.
fn piece(rest: &mut &[u8]) -> Result<Piece> {
    let mut piece = Piece {
        position: None,
        left: false,
        width: Width::Fixed(0),
        kind: 0,
    };
    let first = number(rest)?;
    let mut width_read = false;
    match (first, rest.first()) {
        (Some(value), Some(b'$')) => {
            *rest = &rest[1..];
            piece.position = Some(position(value)?);
        }
        (Some(value), _) => {
            piece.width = Width::Fixed(value);
            width_read = true;
        }
        (None, _) => {}
    }
    if !width_read {
        while rest.first() == Some(&b'-') {
            *rest = &rest[1..];
            piece.left = true;
        }
        if rest.first() == Some(&b'*') {
            *rest = &rest[1..];
            let at = number(rest)?;
            if let Some(at) = at {
                *rest = rest
                    .strip_prefix(b"$")
                    .ok_or_else(|| invalid("width argument position must be ended by \"$\""))?;
                piece.width = Width::Argument(Some(position(at)?));
            } else {
                piece.width = Width::Argument(None);
            }
        } else if let Some(width) = number(rest)? {
            piece.width = Width::Fixed(width);
        }
    }
    let (kind, after) = rest.split_first().ok_or_else(unterminated)?;
    *rest = after;
    piece.kind = *kind;
    Ok(piece)
}

/// Takes arguments in order, or by position.
struct Taking<'a, 'c> {
    call: &'a Call<'c>,
    next: usize,
}

impl Taking<'_, '_> {
    fn take(&mut self, position: Option<usize>) -> Result<usize> {
        let at = position.unwrap_or(self.next);
        self.next = at + 1;
        if at >= self.call.args.len() {
            return Err(invalid("too few arguments for format()"));
        }
        Ok(at)
    }

    fn width(&mut self, piece: &mut Piece, row: usize) -> Result<usize> {
        let at = match piece.width {
            Width::Fixed(width) => return Ok(width),
            Width::Argument(at) => self.take(at)?,
        };
        if self.call.is_null(at, row) {
            return Ok(0);
        }
        let ColumnData::Int(_) = &self.call.args[at].data else {
            let mut shown = Vec::new();
            write_argument(self.call, at, row, &mut shown);
            let text = String::from_utf8_lossy(&shown).into_owned();
            let width: i64 = text
                .parse()
                .map_err(|_| crate::text::invalid_syntax(crate::types::DataType::Int4, &shown))?;
            return Ok(Self::signed(piece, width));
        };
        Ok(Self::signed(piece, *self.call.ints(at).at(row)))
    }

    /// A width below zero means: on the left.
    fn signed(piece: &mut Piece, width: i64) -> usize {
        piece.left |= width < 0;
        usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX)
    }
}

pub(super) fn format(call: &Call<'_>) -> Result<Column> {
    let formats = call.strings(0);
    call.each_string_or_null(|row, out| {
        if call.is_null(0, row) {
            return Ok(false);
        }
        let mut taking = Taking { call, next: 1 };
        let mut rest = formats.bytes(row);
        while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
            out.extend_from_slice(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(b"%") {
                out.push(b'%');
                rest = after;
                continue;
            }
            let mut piece = piece(&mut rest)?;
            let width = check_size(Some(taking.width(&mut piece, row)?))?;
            check_kind(piece.kind)?;
            let index = taking.take(piece.position)?;
            let shown = show(call, index, row, piece.kind)?;
            let blanks = width.saturating_sub(char_count(&shown));
            if !piece.left {
                out.extend(std::iter::repeat_n(b' ', blanks));
            }
            out.extend_from_slice(&shown);
            if piece.left {
                out.extend(std::iter::repeat_n(b' ', blanks));
            }
        }
        out.extend_from_slice(rest);
        Ok(true)
    })
}

fn check_kind(kind: u8) -> Result<()> {
    if matches!(kind, b's' | b'I' | b'L') {
        return Ok(());
    }
    let message = format!("unrecognized format() type specifier \"{}\"", char::from(kind));
    Err(invalid(message).hint("For a single \"%\" use \"%%\"."))
}

fn show(call: &Call<'_>, index: usize, row: usize, kind: u8) -> Result<Vec<u8>> {
    let mut shown = Vec::new();
    if call.is_null(index, row) {
        return match kind {
            b's' => Ok(shown),
            b'L' => Ok(b"NULL".to_vec()),
            _ => Err(SqlError::new(
                crate::error::SqlState("22004"),
                "null values cannot be formatted as an SQL identifier",
            )),
        };
    }
    write_argument(call, index, row, &mut shown);
    let mut quoted = Vec::new();
    match kind {
        b'I' => write_identifier(&String::from_utf8_lossy(&shown), &mut quoted),
        b'L' => write_literal(&shown, &mut quoted),
        _ => return Ok(shown),
    }
    Ok(quoted)
}
