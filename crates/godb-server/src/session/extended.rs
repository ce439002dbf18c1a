//! The extended protocol: prepared statements and portals.

use super::run::{Filled, Running};
use super::{Connection, Stop};
use crate::protocol::answer::{self, Formats, Problem};
use crate::protocol::request::{Bind, Request, Target};
use crate::protocol::{binary, types};
use bytes::Bytes;
use godb::{DataType, Description, Statement, TransactionState, Value, from_text};
use std::collections::HashMap;
use std::sync::Arc;

/// What a client has prepared.
#[derive(Default)]
pub(super) struct Prepared {
    /// The statement without a name; named ones are kept by the session, where SQL can reach them.
    unnamed: Option<Known>,
    /// Texts and descriptions of named statements.
    named: HashMap<String, Known>,
    portals: HashMap<String, Portal>,
    /// Between the first message of a series and its Sync.
    pub(super) in_series: bool,
}

/// A prepared statement. One without any statement in its text is empty.
#[derive(Clone)]
struct Known {
    statement: Option<Statement>,
    text: Arc<str>,
    description: Option<Arc<Description>>,
}

/// A statement with its parameters, perhaps under way.
struct Portal {
    known: Known,
    values: Vec<Value>,
    formats: Formats,
    state: State,
}

enum State {
    Bound,
    Running(Box<Running>),
    Ended,
}

impl Prepared {
    /// A simple query takes the place of what has no name.
    pub(super) fn forget_unnamed(&mut self) {
        self.unnamed = None;
        self.portals.remove("");
    }

    /// Portals end with their transaction.
    pub(super) fn end_portals(&mut self, state: TransactionState) {
        if state == TransactionState::Idle && !self.portals.is_empty() {
            self.portals.clear();
        }
    }
}

impl Connection<'_> {
    /// One message of a series.
    pub(super) async fn extended(&mut self, request: Request) -> Result<(), Stop> {
        self.prepared.in_series = true;
        match request {
            Request::Parse { name, text, types } => self.parse(name, &text, &types),
            Request::Bind(bind) => self.bind(bind),
            Request::Describe(Target::Statement, name) => self.describe_statement(&name),
            Request::Describe(Target::Portal, name) => self.describe_portal(&name),
            Request::Close(target, name) => {
                self.close(target, &name);
                Ok(())
            }
            Request::Execute { portal, limit } => self.execute(portal, limit.unwrap_or(usize::MAX)).await,
            Request::Flush => Ok(self.wire.flush().await?),
            _ => Ok(()),
        }
    }

    /// Sync: the series ends, and with it a transaction that nobody began.
    pub(super) async fn sync(&mut self) -> Result<(), Stop> {
        self.skipping = false;
        self.prepared.in_series = false;
        self.end_implicit();
        self.prepared.end_portals(self.session.transaction_state());
        self.ready().await
    }

    fn parse(&mut self, name: String, text: &str, numbers: &[u32]) -> Result<(), Stop> {
        let known_type = |number: &u32| {
            types::named(*number)
                .map_err(|number| Problem::error("42704", format!("type with OID {number} is not supported")))
        };
        let types = numbers.iter().map(known_type).collect::<Result<Vec<_>, _>>()?;
        let statement = match godb::split_statements(text).next() {
            None => None,
            Some(_) => Some(self.session.prepare(text, &types)?),
        };
        let known = Known {
            statement,
            text: Arc::from(text),
            description: None,
        };
        if name.is_empty() {
            self.prepared.unnamed = Some(known);
        } else {
            if let Some(statement) = &known.statement {
                self.session.keep(&name, statement.clone())?;
            }
            self.prepared.named.insert(name, known);
        }
        answer::empty(&mut self.wire.out, b'1');
        Ok(())
    }

    /// The statement of a name, with its description.
    fn known(&mut self, name: &str) -> Result<(Known, Arc<Description>), Stop> {
        let missing = || Problem::error("26000", "unnamed prepared statement does not exist");
        let mut known = if name.is_empty() {
            self.prepared.unnamed.clone().ok_or_else(missing)?
        } else {
            self.named(name)?
        };
        if let Some(description) = &known.description {
            let description = description.clone();
            return Ok((known, description));
        }
        let description = Arc::new(match &known.statement {
            Some(statement) => self.session.describe(statement)?,
            None => Description {
                parameters: Vec::new(),
                columns: Arc::from([]),
            },
        });
        known.description = Some(description.clone());
        if name.is_empty() {
            self.prepared.unnamed = Some(known.clone());
        } else {
            self.prepared.named.insert(name.to_owned(), known.clone());
        }
        Ok((known, description))
    }

    /// A named statement: the session knows best, for SQL may have made or forgotten it.
    fn named(&mut self, name: &str) -> Result<Known, Stop> {
        let known = self.prepared.named.get(name);
        if let Some(empty) = known.filter(|known| known.statement.is_none()) {
            return Ok(empty.clone());
        }
        let statement = self.session.kept(name)?;
        Ok(match known {
            Some(known) => known.clone(),
            None => Known {
                statement: Some(statement),
                text: Arc::from(""),
                description: None,
            },
        })
    }

    fn bind(&mut self, bind: Bind) -> Result<(), Stop> {
        let (known, description) = self.known(&bind.statement)?;
        let wanted = description.parameters.len();
        if bind.values.len() != wanted {
            let (name, given) = (&bind.statement, bind.values.len());
            let message = format!(
                "bind message supplies {given} parameters, but prepared statement \"{name}\" requires {wanted}"
            );
            return Err(Problem::error("08P01", message).into());
        }
        let refused = |why| Problem::error("08P01", why);
        let formats = Formats::new(bind.formats, wanted, "parameter").map_err(refused)?;
        let values = bind.values.iter().zip(&description.parameters).enumerate();
        let values =
            values.map(|(at, (value, ty))| parameter(at, value.as_ref(), *ty, formats.is_binary(at)));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let results = Formats::new(bind.results, description.columns.len(), "result").map_err(refused)?;
        if !bind.portal.is_empty() && self.prepared.portals.contains_key(&bind.portal) {
            let message = format!("cursor \"{}\" already exists", bind.portal);
            return Err(Problem::error("42P03", message).into());
        }
        let portal = Portal {
            known,
            values,
            formats: results,
            state: State::Bound,
        };
        self.prepared.portals.insert(bind.portal, portal);
        answer::empty(&mut self.wire.out, b'2');
        Ok(())
    }

    fn describe_statement(&mut self, name: &str) -> Result<(), Stop> {
        let (_, description) = self.known(name)?;
        answer::parameters(&mut self.wire.out, &description.parameters);
        self.describe_columns(&description, &Formats::default());
        Ok(())
    }

    fn describe_portal(&mut self, name: &str) -> Result<(), Stop> {
        let portal = self.prepared.portals.get(name).ok_or_else(|| no_portal(name))?;
        let formats = portal.formats.clone();
        if let Some(description) = portal.known.description.clone() {
            self.describe_columns(&description, &formats);
        }
        Ok(())
    }

    fn describe_columns(&mut self, description: &Description, formats: &Formats) {
        if description.columns.is_empty() {
            return answer::empty(&mut self.wire.out, b'n');
        }
        let columns = description
            .columns
            .iter()
            .map(|column| (&*column.name, column.ty));
        answer::columns(&mut self.wire.out, columns, formats);
    }

    fn close(&mut self, target: Target, name: &str) {
        match target {
            Target::Portal => drop(self.prepared.portals.remove(name)),
            Target::Statement if name.is_empty() => self.prepared.unnamed = None,
            Target::Statement => {
                self.prepared.named.remove(name);
                self.session.forget(Some(name));
            }
        }
        answer::empty(&mut self.wire.out, b'3');
    }

    async fn execute(&mut self, name: String, limit: usize) -> Result<(), Stop> {
        let mut portal = self
            .prepared
            .portals
            .remove(&name)
            .ok_or_else(|| no_portal(&name))?;
        let done = self.execute_portal(&mut portal, limit).await;
        let ended = self.session.transaction_state() == TransactionState::Idle
            && !matches!(portal.state, State::Running(_));
        if !ended || !name.is_empty() {
            self.prepared.portals.insert(name, portal);
        }
        done
    }

    async fn execute_portal(&mut self, portal: &mut Portal, limit: usize) -> Result<(), Stop> {
        let Some(statement) = portal.known.statement.clone() else {
            answer::empty(&mut self.wire.out, b'I');
            return Ok(());
        };
        let mut left = limit;
        let (mut running, filled) = match std::mem::replace(&mut portal.state, State::Ended) {
            State::Ended => {
                let message = "portal has been run to its end";
                return Err(Problem::error("55000", message).into());
            }
            State::Running(mut running) => {
                let filled = self.engine(false, |this| running.fill(&mut this.wire.out, &mut left))?;
                (*running, filled)
            }
            State::Bound => {
                // Something else follows before Sync: they belong together.
                if self.wire.next_kind() != Some(b'S')
                    && self.session.transaction_state() == TransactionState::Idle
                {
                    self.session.begin_implicit()?;
                }
                if let Some(direction) = statement.copy_stream() {
                    let text = portal.known.text.clone();
                    return self.copy(&text, direction).await;
                }
                self.start(
                    &statement,
                    &portal.values,
                    portal.formats.clone(),
                    false,
                    &mut left,
                )?
            }
        };
        let filled = self.pour(&mut running, filled, &mut left).await?;
        if filled == Filled::Limit && running.has_rows() {
            answer::empty(&mut self.wire.out, b's');
            portal.state = State::Running(Box::new(running));
        } else {
            running.complete(&mut self.wire.out);
        }
        Ok(())
    }
}

fn no_portal(name: &str) -> Problem {
    Problem::error("34000", format!("portal \"{name}\" does not exist"))
}

/// The value of a parameter.
fn parameter(at: usize, value: Option<&Bytes>, ty: DataType, is_binary: bool) -> Result<Value, Problem> {
    let Some(bytes) = value else {
        return Ok(Value::Null);
    };
    if is_binary {
        return binary::read(bytes, ty).ok_or_else(|| {
            Problem::error(
                "22P03",
                format!("incorrect binary data format in bind parameter {}", at + 1),
            )
        });
    }
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'));
    let text = text.ok_or_else(|| Problem::error("22021", "invalid byte sequence for encoding \"UTF8\""))?;
    if ty.is_text() {
        return Ok(Value::Text(text.to_owned()));
    }
    from_text(text, ty).map_err(|error| Problem::from(godb::Error::from(error)))
}
