//! Statement parameters: `?` becomes `$1`, `$2`, … in the order of appearance.

use crate::error::{Result, SqlError, state};
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// The highest parameter number, as in PostgreSQL's protocol.
const MAX_PARAMETERS: usize = 65_535;

/// Numbers the `?` and returns the highest parameter number in use.
pub(super) fn number(tokens: &mut [TokenWithSpan], sql: &str) -> Result<usize> {
    let (mut anonymous, mut highest) = (0, 0);
    for token in tokens {
        let Token::Placeholder(name) = &mut token.token else {
            continue;
        };
        let position = super::position_of(sql, token.span.start);
        if name == "?" {
            anonymous += 1;
            *name = format!("${anonymous}");
        } else {
            highest = highest.max(numbered(name, position)?);
        }
        if anonymous > 0 && highest > 0 {
            let message = "parameters are written either ? or $n, not both in one statement";
            return Err(SqlError::new(state::SYNTAX_ERROR, message).at(position));
        }
        if anonymous > MAX_PARAMETERS {
            return Err(too_many(position));
        }
    }
    Ok(anonymous.max(highest))
}

fn numbered(name: &str, position: usize) -> Result<usize> {
    let digits = name.strip_prefix('$').unwrap_or("");
    match digits.parse::<usize>() {
        Ok(number) if number > MAX_PARAMETERS => Err(too_many(position)),
        Ok(number) if number > 0 => Ok(number),
        Ok(_) => {
            let message = format!("there is no parameter {name}");
            Err(SqlError::new(state::UNDEFINED_PARAMETER, message).at(position))
        }
        Err(_) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => Err(too_many(position)),
        Err(_) => {
            let message = format!("syntax error at or near \"{name}\"");
            Err(SqlError::new(state::SYNTAX_ERROR, message).at(position))
        }
    }
}

fn too_many(position: usize) -> SqlError {
    let message = format!("a statement has at most {MAX_PARAMETERS} parameters");
    SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message).at(position)
}
