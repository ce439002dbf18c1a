//! Patterns of numbers: `FM999,990.00`.

use crate::error::{Result, SqlError, state};

/// Where the sign goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// In front of the first digit: a blank or a minus.
    Plain,
    /// `S` in front: plus or minus.
    Before,
    /// `S` behind: plus or minus.
    After,
    /// `PR`: in angle brackets when negative.
    Brackets,
    /// `MI`, `PL` or `SG` stand where they stand.
    Elsewhere,
}

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// `9`: a digit, or a blank in front of the first.
    Nine,
    /// `0`: a digit.
    Zero,
    /// `.` or `D`.
    Point,
    /// `,` or `G`.
    Group,
    /// `MI`: a minus when negative.
    Minus,
    /// `PL`: a plus when positive.
    Plus,
    /// `SG`: plus or minus.
    PlusMinus,
    /// `TH` or `th`; says whether capital.
    Ordinal(bool),
    /// `L`: the currency's sign, a blank.
    Currency,
    /// Anything else.
    Literal(char),
}

/// A pattern, cut up.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// In order.
    pub(super) pieces: Vec<Piece>,
    /// Where the sign goes.
    pub(super) sign: Sign,
    /// `FM`: no blanks, no zeros at the end.
    pub(super) bare: bool,
    /// Digits before the point.
    pub(super) whole: usize,
    /// Digits after the point.
    pub(super) fraction: usize,
    /// From this digit before the point on (counted from the left) zeros are shown.
    pub(super) first_zero: Option<usize>,
    /// `V`: multiplied by a power of ten.
    pub(super) shift: usize,
    /// `RN` or `rn`: a Roman number; says whether capital.
    pub(super) roman: Option<bool>,
    /// `EEEE`: with an exponent.
    pub(super) exponent: bool,
}

#[cold]
fn bad(message: &str) -> SqlError {
    SqlError::new(state::SYNTAX_ERROR, message)
}

impl Pattern {
    /// Cuts a pattern up.
    pub(super) fn parse(pattern: &str) -> Result<Self> {
        let mut cutting = Cutting {
            found: Self {
                pieces: Vec::new(),
                sign: Sign::Plain,
                bare: false,
                whole: 0,
                fraction: 0,
                first_zero: None,
                shift: 0,
                roman: None,
                exponent: false,
            },
            after_point: false,
            after_shift: false,
        };
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            cutting.expect_no_end(first)?;
            if let Some(length) = cutting.word(rest)? {
                rest = &rest[length..];
                continue;
            }
            if first == '"' {
                let end = rest[1..].find('"').map_or(rest.len(), |end| end + 2);
                let inside = rest[1..end].trim_end_matches('"');
                cutting.found.pieces.extend(inside.chars().map(Piece::Literal));
                rest = &rest[end..];
                continue;
            }
            cutting.character(first)?;
            rest = &rest[first.len_utf8()..];
        }
        Ok(cutting.found)
    }
}

struct Cutting {
    found: Pattern,
    after_point: bool,
    after_shift: bool,
}

impl Cutting {
    /// Takes a word of several letters; returns how long it is.
    fn word(&mut self, rest: &str) -> Result<Option<usize>> {
        let starts = |word: &str| {
            rest.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        let found = &mut self.found;
        if starts("EEEE") {
            found.exponent = true;
            return Ok(Some(4));
        }
        if starts("FM") {
            found.bare = true;
        } else if starts("MI") {
            self.elsewhere(Piece::Minus)?;
        } else if starts("PL") {
            self.elsewhere(Piece::Plus)?;
        } else if starts("SG") {
            self.elsewhere(Piece::PlusMinus)?;
        } else if starts("PR") {
            self.set_sign(Sign::Brackets)?;
        } else if starts("RN") {
            found.roman = Some(rest.starts_with('R'));
        } else if starts("TH") {
            found.pieces.push(Piece::Ordinal(rest.starts_with('T')));
        } else {
            return Ok(None);
        }
        Ok(Some(2))
    }

    /// Behind `EEEE` comes nothing, behind `PR` no digit.
    fn expect_no_end(&self, next: char) -> Result<()> {
        if self.found.exponent {
            return Err(bad("\"EEEE\" must be the last pattern used"));
        }
        if self.found.sign == Sign::Brackets && matches!(next, '9' | '0') {
            return Err(bad(&format!("\"{next}\" must be ahead of \"PR\"")));
        }
        Ok(())
    }

    fn set_sign(&mut self, sign: Sign) -> Result<()> {
        if !matches!(
            (self.found.sign, sign),
            (Sign::Plain, _) | (Sign::Elsewhere, Sign::Elsewhere)
        ) {
            return Err(bad("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together"));
        }
        self.found.sign = sign;
        Ok(())
    }

    fn elsewhere(&mut self, piece: Piece) -> Result<()> {
        self.set_sign(Sign::Elsewhere)?;
        self.found.pieces.push(piece);
        Ok(())
    }

    fn character(&mut self, character: char) -> Result<()> {
        let digits_so_far = self.found.whole + self.found.fraction;
        match character {
            '9' => self.digit(Piece::Nine),
            '0' => {
                if !self.after_point && !self.after_shift && self.found.first_zero.is_none() {
                    self.found.first_zero = Some(self.found.whole);
                }
                self.digit(Piece::Zero);
            }
            '.' | 'D' | 'd' => {
                if self.after_point {
                    return Err(bad("multiple decimal points"));
                }
                if self.after_shift {
                    return Err(bad("cannot use \"V\" and decimal point together"));
                }
                self.after_point = true;
                self.found.pieces.push(Piece::Point);
            }
            ',' | 'G' | 'g' => self.found.pieces.push(Piece::Group),
            'V' | 'v' => {
                if self.after_point {
                    return Err(bad("cannot use \"V\" and decimal point together"));
                }
                self.after_shift = true;
            }
            'S' | 's' if digits_so_far == 0 => self.set_sign(Sign::Before)?,
            'S' | 's' => self.set_sign(Sign::After)?,
            'L' | 'l' => self.found.pieces.push(Piece::Currency),
            // Words of other databases, which say nothing here.
            'B' | 'b' | 'C' | 'c' => {}
            other => self.found.pieces.push(Piece::Literal(other)),
        }
        Ok(())
    }

    fn digit(&mut self, piece: Piece) {
        if self.after_point {
            self.found.fraction += 1;
        } else {
            self.found.whole += 1;
            self.found.shift += usize::from(self.after_shift);
        }
        self.found.pieces.push(piece);
    }
}
