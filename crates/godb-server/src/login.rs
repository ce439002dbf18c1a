//! From a fresh socket to a client who may ask: TLS, cancel requests, start-up, password.
//!
//! Who may come in: as long as no role has a password, everybody from this machine. As soon as one has, everybody has to prove a password by SCRAM-SHA-256 (RFC 7677). For a user who does not exist
//! or has none, the exchange is gone through with a verifier made from a secret and the name, which nothing fits: the same messages, the same computations, the same answer.

use crate::protocol::answer::{self, Problem};
use crate::protocol::request::Body;
use crate::server::Shared;
use crate::wire::{Broken, Wire};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use godb::Verifier;
use pgwire::messages::startup::{Authentication, NegotiateProtocolVersion};
use rustls::ServerConnection;
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

const SSL: i32 = 80_877_103;
const GSS: i32 = 80_877_104;
const CANCEL: i32 = 80_877_102;
const MAJOR: i32 = 3;
const MECHANISM: &str = "SCRAM-SHA-256";

/// Somebody who may ask.
pub(crate) struct Client {
    pub(crate) user: String,
    pub(crate) database: String,
    pub(crate) superuser: bool,
    /// What else was said at the start: settings.
    pub(crate) settings: HashMap<String, String>,
}

/// Why nobody came in.
pub(crate) enum Refused {
    /// Nothing more is to be said.
    Done,
    /// This is to be said.
    With(Problem),
}

impl From<Broken> for Refused {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Io(_) => Self::Done,
            Broken::Protocol(why) => Self::With(Problem::fatal("08P01", why)),
        }
    }
}

impl From<std::io::Error> for Refused {
    fn from(_: std::io::Error) -> Self {
        Self::Done
    }
}

impl From<godb::Error> for Refused {
    fn from(error: godb::Error) -> Self {
        Self::With(Problem {
            severity: "FATAL",
            ..Problem::from(error)
        })
    }
}

/// Lets a client in.
pub(crate) async fn login(wire: &mut Wire, shared: &Shared) -> Result<Client, Refused> {
    let mut body = greeting(wire, shared).await?;
    let mut settings = HashMap::new();
    let mut unknown = Vec::new();
    let malformed = |_| Refused::With(Problem::fatal("08P01", "invalid startup packet layout"));
    while body.0.len() > 1 {
        let (name, value) = (
            body.string().map_err(malformed)?,
            body.string().map_err(malformed)?,
        );
        if name.starts_with("_pq_.") {
            unknown.push(name);
        } else {
            settings.insert(name, value);
        }
    }
    if !unknown.is_empty() {
        answer::put(&mut wire.out, &NegotiateProtocolVersion::new(0, unknown));
    }
    let user = settings.remove("user").filter(|user| !user.is_empty());
    let user = user.ok_or_else(|| {
        Refused::With(Problem::fatal(
            "28000",
            "no PostgreSQL user name specified in startup packet",
        ))
    })?;
    let database = settings.remove("database").unwrap_or_else(|| user.clone());
    let superuser = admit(wire, shared, &user).await?;
    if let Some(known) = shared
        .options
        .database
        .as_ref()
        .filter(|known| **known != database)
    {
        let message = format!("database \"{database}\" does not exist");
        let mut problem = Problem::fatal("3D000", message);
        problem
            .more
            .push((b'H', format!("This server has the database \"{known}\".")));
        return Err(Refused::With(problem));
    }
    Ok(Client {
        user,
        database,
        superuser,
        settings,
    })
}

/// Reads up to the start-up packet, whose parameters are given back.
async fn greeting(wire: &mut Wire, shared: &Shared) -> Result<Body, Refused> {
    let mut asked = 0;
    loop {
        let mut body = Body(wire.first_frame().await?);
        let code = body.number().map_err(Broken::from)?;
        match code {
            SSL | GSS if asked < 2 => {
                asked += 1;
                let tls = shared
                    .tls
                    .as_ref()
                    .filter(|_| code == SSL && !wire.is_encrypted());
                wire.out
                    .extend_from_slice(if tls.is_some() { b"S" } else { b"N" });
                wire.flush().await?;
                if let Some(config) = tls {
                    let connection = ServerConnection::new(config.clone()).map_err(std::io::Error::other)?;
                    wire.encrypt(connection)?;
                }
            }
            CANCEL => {
                let (process, secret) = (body.number(), body.number());
                if let (Ok(process), Ok(secret)) = (process, secret)
                    && !shared.registry.cancel(process, secret)
                {
                    tracing::warn!(process, "a cancel request with a wrong key");
                }
                return Err(Refused::Done);
            }
            version if version >> 16 == MAJOR => {
                if version & 0xffff != 0 {
                    answer::put(&mut wire.out, &NegotiateProtocolVersion::new(0, Vec::new()));
                }
                return Ok(body);
            }
            other => {
                let message = format!(
                    "unsupported frontend protocol {}.{}: server supports 3.0 to 3.0",
                    other >> 16,
                    other & 0xffff
                );
                return Err(Refused::With(Problem::fatal("0A000", message)));
            }
        }
    }
}

/// Asks for a password where there are any; tells whether the user may do everything.
async fn admit(wire: &mut Wire, shared: &Shared, user: &str) -> Result<bool, Refused> {
    let role = shared.database.role(user)?;
    if !shared.database.has_passwords()? {
        if !wire.socket().is_local() {
            let mut problem = Problem::fatal(
                "28000",
                "no role has a password, so only clients on this machine are let in",
            );
            problem
                .more
                .push((b'H', "CREATE ROLE name LOGIN PASSWORD '…' first.".to_owned()));
            return Err(Refused::With(problem));
        }
        return Ok(role.is_none_or(|role| role.superuser));
    }
    let stored = role
        .as_ref()
        .and_then(|role| role.verifier.as_deref())
        .and_then(Verifier::parse);
    let imitation = Verifier::imitation(user, &shared.secret);
    let expired = role
        .as_ref()
        .and_then(|role| role.valid_until)
        .is_some_and(|until| until < now_micros());
    let valid = stored.filter(|_| !expired);
    let real = valid.is_some();
    let wrong = || {
        Refused::With(Problem::fatal(
            "28P01",
            format!("password authentication failed for user \"{user}\""),
        ))
    };
    let verifier = valid.unwrap_or(imitation);
    let proved = scram(wire, shared, &verifier).await?;
    let signature = proved.filter(|_| real).ok_or_else(wrong)?;
    if role.as_ref().is_some_and(|role| !role.login) {
        let message = format!("role \"{user}\" is not permitted to log in");
        return Err(Refused::With(Problem::fatal("28000", message)));
    }
    let last = format!("v={}", BASE64.encode(signature));
    answer::put(&mut wire.out, &Authentication::SASLFinal(Bytes::from(last)));
    Ok(role.is_some_and(|role| role.superuser))
}

fn now_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// The exchange of SCRAM: the server's signature if the proof was right.
async fn scram(wire: &mut Wire, shared: &Shared, verifier: &Verifier) -> Result<Option<[u8; 32]>, Refused> {
    answer::put(&mut wire.out, &Authentication::SASL(vec![MECHANISM.to_owned()]));
    wire.flush().await?;
    let first = first_message(password(wire).await?)?;
    let bare = first.strip_prefix("n,,").or_else(|| first.strip_prefix("y,,"));
    let bare = bare.ok_or_else(malformed)?;
    let nonce = bare
        .split(',')
        .find_map(|part| part.strip_prefix("r="))
        .ok_or_else(malformed)?;
    let mut ours = [0; 18];
    shared.random.fill(&mut ours);
    let nonce = format!("{nonce}{}", BASE64.encode(ours));
    let challenge = format!(
        "r={nonce},s={},i={}",
        BASE64.encode(&verifier.salt),
        verifier.iterations
    );
    answer::put(
        &mut wire.out,
        &Authentication::SASLContinue(Bytes::from(challenge.clone())),
    );
    wire.flush().await?;
    let last = password(wire).await?;
    let last = std::str::from_utf8(&last).map_err(|_| malformed())?;
    let (unproved, proof) = last.rsplit_once(",p=").ok_or_else(malformed)?;
    let mut parts = unproved.split(',');
    let binding = parts.next().and_then(|part| part.strip_prefix("c="));
    let repeated = parts.next().and_then(|part| part.strip_prefix("r="));
    if repeated != Some(&*nonce) || !matches!(binding, Some("biws" | "eSws")) {
        return Err(malformed());
    }
    let proof = BASE64.decode(proof).map_err(|_| malformed())?;
    Ok(verifier.check(format!("{bare},{challenge},{unproved}").as_bytes(), &proof))
}

/// The client's first message, behind the mechanism's name and a length.
fn first_message(body: Bytes) -> Result<String, Refused> {
    let mut body = Body(body);
    let mechanism = body.string().map_err(Broken::from)?;
    let length = body.number().map_err(Broken::from)?;
    if mechanism != MECHANISM || usize::try_from(length) != Ok(body.0.len()) {
        return Err(Refused::With(Problem::fatal(
            "08P01",
            "client selected an invalid SASL authentication mechanism",
        )));
    }
    String::from_utf8(body.0.to_vec()).map_err(|_| malformed())
}

async fn password(wire: &mut Wire) -> Result<Bytes, Refused> {
    match wire.frame().await? {
        (b'p', body) => Ok(body),
        (kind, _) => {
            let message = format!("expected SASL response, got message type {kind}");
            Err(Refused::With(Problem::fatal("08P01", message)))
        }
    }
}

fn malformed() -> Refused {
    Refused::With(Problem::fatal("08P01", "malformed SCRAM message"))
}
