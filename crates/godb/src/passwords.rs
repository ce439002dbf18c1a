//! Passwords, kept as what SCRAM-SHA-256 needs (RFC 5802, RFC 7677) and written as PostgreSQL writes it.
//!
//! Of a password only a [`Verifier`] is stored: a salt, and two keys that are made of the salted password by functions nobody can turn round. Who logs in proves that he can make the first
//! from the password, the server that it has the second, and neither tells the other anything that could be used again. Whoever reads a verifier can try passwords against it, each of which
//! takes thousands of hashes; he cannot log in with it.
//!
//! ```text
//! salted     = PBKDF2(password, salt, iterations)
//! stored key = SHA-256(HMAC(salted, "Client Key"))         server key = HMAC(salted, "Server Key")
//! proof      = HMAC(salted, "Client Key") xor HMAC(stored key, messages)
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use godb_page::Random;
use godb_sql::{Passwords, SqlError};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How often the hash is repeated, as PostgreSQL has it.
const ITERATIONS: u32 = 4096;
const SALT: usize = 16;
/// How often a verifier from elsewhere may ask for.
const MOST_ITERATIONS: u32 = 1_000_000;
const SCHEME: &str = "SCRAM-SHA-256";

type Key = [u8; 32];

/// What a server has to know to check somebody's proof of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    /// How often the hash is repeated.
    pub iterations: u32,
    /// What the password was salted with.
    pub salt: Vec<u8>,
    stored_key: Key,
    server_key: Key,
}

impl Verifier {
    /// Of a password, with this salt.
    #[must_use]
    pub fn new(password: &str, salt: Vec<u8>, iterations: u32) -> Self {
        // What cannot be prepared is taken as it is, as PostgreSQL does.
        let prepared = stringprep::saslprep(password);
        let password = prepared.as_deref().unwrap_or(password);
        let mut salted = Key::default();
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, iterations, &mut salted);
        Self {
            iterations,
            salt,
            stored_key: Sha256::digest(keyed(&salted, b"Client Key")).into(),
            server_key: keyed(&salted, b"Server Key"),
        }
    }

    /// Reads one as it is stored; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(SCHEME)?.strip_prefix('$')?;
        let (how, keys) = rest.split_once('$')?;
        let (iterations, salt) = how.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        let iterations = iterations.parse().ok()?;
        let key = |text: &str| Key::try_from(BASE64.decode(text).ok()?).ok();
        let found = Self {
            iterations,
            salt: BASE64.decode(salt).ok()?,
            stored_key: key(stored)?,
            server_key: key(server)?,
        };
        let sound = (1..=MOST_ITERATIONS).contains(&iterations) && !found.salt.is_empty();
        sound.then_some(found)
    }

    /// One that nobody can satisfy, for a name that nobody has: always the same for a name, so that it cannot be told from a real one. `secret` is the server's own.
    #[must_use]
    pub fn imitation(name: &str, secret: &[u8]) -> Self {
        Self {
            iterations: ITERATIONS,
            salt: keyed(secret, name.as_bytes())[..SALT].to_vec(),
            stored_key: keyed(secret, &[b"stored ", name.as_bytes()].concat()),
            server_key: keyed(secret, &[b"server ", name.as_bytes()].concat()),
        }
    }

    /// Checks a client's proof for the messages that were exchanged. Returns the server's own signature to answer with, or `None` when the password was another.
    #[must_use]
    pub fn check(&self, messages: &[u8], proof: &[u8]) -> Option<[u8; 32]> {
        let mut client_key = Key::try_from(proof).ok()?;
        let signature = keyed(&self.stored_key, messages);
        client_key.iter_mut().zip(signature).for_each(|(a, b)| *a ^= b);
        let digest: Key = Sha256::digest(client_key).into();
        // All bytes are looked at, so that the time tells nothing about how many are right.
        let different = digest
            .iter()
            .zip(self.stored_key)
            .fold(0, |sum, (a, b)| sum | (a ^ b));
        (different == 0).then(|| keyed(&self.server_key, messages))
    }
}

impl std::fmt::Display for Verifier {
    /// As PostgreSQL stores it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [salt, stored, server] =
            [&self.salt[..], &self.stored_key, &self.server_key].map(|bytes| BASE64.encode(bytes));
        write!(f, "{SCHEME}${}:{salt}${stored}:{server}", self.iterations)
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

/// HMAC-SHA-256.
fn keyed(key: &[u8], message: &[u8]) -> Key {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Makes the verifiers of roles.
pub(crate) struct Scram(pub(crate) Arc<dyn Random>);

impl Passwords for Scram {
    fn verifier(&self, password: &str) -> Result<String, SqlError> {
        let mut salt = vec![0; SALT];
        self.0.fill(&mut salt);
        Ok(Verifier::new(password, salt, ITERATIONS).to_string())
    }

    fn is_verifier(&self, text: &str) -> bool {
        Verifier::parse(text).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange that RFC 7677 shows.
    #[test]
    fn the_exchange_of_the_standard_is_accepted() {
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = Verifier::new("pencil", salt, 4096);
        let messages = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let mut proof = BASE64
            .decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
            .unwrap();
        let signature = verifier.check(messages.as_bytes(), &proof).unwrap();
        assert_eq!(
            BASE64.encode(signature),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
        proof[0] ^= 1;
        assert_eq!(verifier.check(messages.as_bytes(), &proof), None);
        assert_eq!(verifier.check(messages.as_bytes(), &proof[1..]), None);
    }

    #[test]
    fn a_verifier_comes_back_as_it_was_written() {
        let verifier = Verifier::new("secret", vec![7; SALT], ITERATIONS);
        let text = verifier.to_string();
        assert_eq!(Verifier::parse(&text), Some(verifier));
        for wrong in [
            "",
            "SCRAM-SHA-256$4096:abc",
            "SCRAM-SHA-256$0:AA==$AA==:AA==",
            "md5abc",
        ] {
            assert_eq!(Verifier::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Verifier::parse(&text[..text.len() - 4]), None);
    }

    #[test]
    fn nobody_satisfies_an_imitation() {
        let one = Verifier::imitation("nobody", b"secret");
        assert_eq!(one, Verifier::imitation("nobody", b"secret"));
        assert_ne!(one.salt, Verifier::imitation("somebody", b"secret").salt);
        assert_eq!(one.check(b"messages", &[0; 32]), None);
    }
}
