//! Hashing passwords: argon2id, at most one at a time per core, in memory that is used again. The
//! permit belongs to the thread that hashes, so a client that hangs up frees nothing early; memory
//! of 19 MiB allocated afresh each time is kept by the allocator and grows without end.
//!
//! Passwords are prepared as RFC 8265 says (`OpaqueString`): other spaces become a space, and the text
//! is put in Unicode form NFC, so that one password typed on two keyboards is one password. Nothing
//! else is changed or cut off.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use aws_lc_rs::constant_time;
use entity::user;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use unicode_normalization::UnicodeNormalization;

use crate::{
    error::{Error, ErrorCode, Refusal, Result},
    metrics::Metrics,
};

/// Memory in KiB, passes, lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);
/// What a stored hash may ask for at most: 128 MiB, and passes and lanes in proportion.
const HIGHEST: (u32, u32, u32) = (128 * 1024, 16, 16);
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// What came of comparing a password with a stored hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is another one.
    Wrong,
    /// It is this one.
    Right,
    /// It is this one, and the hash is weaker than those we make now.
    Outdated,
}

/// The hash of a person's password, if she has one: whoever came with an identity has none.
pub(super) fn stored(user: &user::Model) -> Option<&str> {
    Some(user.password_hash.as_str()).filter(|hash| !hash.is_empty())
}

/// Hashes passwords.
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
    params: Params,
    patience: Duration,
    /// Stands in for the hash of people we do not know. No password matches it.
    nobody: PasswordHash,
    metrics: Metrics,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords")
            .field("turns", &self.turns.available_permits())
            .finish_non_exhaustive()
    }
}

impl Passwords {
    pub(super) fn new(metrics: Metrics) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let (memory, passes, lanes) = COST;
        let params =
            Params::new(memory, passes, lanes, Some(Output::MAX_LENGTH / 2)).map_err(opaque)?;
        // Two random salts make 32 random bytes: an output that nothing is known to hash to.
        let output = [Salt::generate().as_ref(), Salt::generate().as_ref()].concat();
        let nobody = phc(&params, Salt::generate(), &output)?;
        Ok(Self {
            turns: Arc::new(Semaphore::new(cores)),
            memory: Arc::default(),
            params,
            patience: PATIENCE,
            nobody,
            metrics,
        })
    }

    /// The hash of a new password, in PHC form.
    pub(super) async fn hash(&self, password: &str) -> Result<String> {
        let salt = Salt::generate();
        let output = self.compute(password, self.params.clone(), salt).await?;
        Ok(phc(&self.params, salt, &output)?.to_string())
    }

    /// Compares a password with a stored hash. Where there is none, it takes the same time.
    pub(super) async fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verdict> {
        let known = stored.and_then(|stored| {
            let parsed = readable(stored);
            if parsed.is_none() {
                tracing::error!("a stored password hash is not one of ours");
            }
            parsed
        });
        let (params, salt, output) = match known {
            Some(known) => known,
            None => parts(&self.nobody).ok_or_else(|| opaque("the stand-in hash"))?,
        };
        let outdated = params.m_cost() < self.params.m_cost()
            || params.t_cost() < self.params.t_cost()
            || params.p_cost() < self.params.p_cost();
        let computed = self.compute(password, params, salt).await?;
        let same = constant_time::verify_slices_are_equal(&computed, output.as_bytes()).is_ok();
        Ok(match (same, outdated) {
            (false, _) => Verdict::Wrong,
            (true, false) => Verdict::Right,
            (true, true) => Verdict::Outdated,
        })
    }

    /// One of the turns in which a processor works on somebody's password.
    ///
    /// # Errors
    /// `RATE_LIMITED` where too many wait.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        let turn = timeout(self.patience, Arc::clone(&self.turns).acquire_owned()).await;
        turn.map_err(|_| busy())?.map_err(Error::internal)
    }

    async fn compute(&self, password: &str, params: Params, salt: Salt) -> Result<Vec<u8>> {
        let turn = self.turn().await?;
        self.metrics.hashed();
        let password = prepared(password);
        let memory = Arc::clone(&self.memory);
        let reused = params.block_count() <= self.params.block_count();
        let size = params.block_count().max(self.params.block_count());
        let hash = move || {
            let _turn = turn;
            let idle = || memory.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = reused.then(|| idle().pop()).flatten();
            let mut blocks = kept.unwrap_or_else(|| vec![Block::new(); size]);
            let mut output = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let done = argon2.hash_password_into_with_memory(
                password.as_bytes(),
                salt.as_ref(),
                &mut output,
                &mut blocks,
            );
            if reused {
                idle().push(blocks);
            }
            done.map(|()| output)
        };
        let done = tokio::task::spawn_blocking(hash).await;
        done.map_err(Error::internal)?.map_err(opaque)
    }
}

/// The text that is hashed.
fn prepared(password: &str) -> String {
    let space = |c| match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        other => other,
    };
    password.chars().map(space).nfc().collect()
}

fn phc(params: &Params, salt: Salt, output: &[u8]) -> Result<PasswordHash> {
    Ok(PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(opaque)?,
        salt: Some(salt),
        hash: Some(Output::new(output).map_err(opaque)?),
    })
}

/// A stored hash, if we would make such a one and it does not ask for more than we are ready to give.
fn readable(stored: &str) -> Option<(Params, Salt, Output)> {
    parts(&PasswordHash::new(stored).ok()?)
}

fn parts(hash: &PasswordHash) -> Option<(Params, Salt, Output)> {
    let params = Params::try_from(hash).ok()?;
    let ours = hash.algorithm == ARGON2ID_IDENT && hash.version == Some(Version::V0x13.into());
    let (memory, passes, lanes) = HIGHEST;
    let bearable =
        params.m_cost() <= memory && params.t_cost() <= passes && params.p_cost() <= lanes;
    (ours && bearable).then_some((params, hash.salt?, hash.hash?))
}

fn busy() -> Error {
    let text = "Too many people are signing in right now. Try again in a few seconds.";
    Refusal::new(ErrorCode::RateLimited, text)
        .retry_after(5)
        .into()
}

/// The hashing library's errors say nothing about the password.
fn opaque(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("hashing a password: {error}"))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// As strong as one pass over the least memory is: for tests that hash often.
    fn quick() -> Passwords {
        Passwords {
            params: Params::new(8, 1, 1, None).unwrap(),
            ..Passwords::new(Metrics::default()).unwrap()
        }
    }

    #[tokio::test]
    async fn a_hash_is_of_one_password_and_of_our_strength() {
        let passwords = Passwords::new(Metrics::default()).unwrap();
        let stored = passwords.hash("four odd words here").await.unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        for (password, verdict) in [
            ("four odd words here", Verdict::Right),
            ("four odd words her", Verdict::Wrong),
            ("", Verdict::Wrong),
        ] {
            let found = passwords.verify(password, Some(&stored)).await.unwrap();
            assert_eq!(found, verdict, "{password}");
        }
        let nobody = passwords.verify("four odd words here", None).await;
        assert_eq!(nobody.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_is_what_other_programs_make_of_it() {
        // Of the reference implementation: `echo -n password | argon2 somesalt -id -m 16 -t 2 -p 1`.
        let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let found = quick().verify("password", Some(stored)).await.unwrap();
        assert_eq!(found, Verdict::Right);
    }

    #[tokio::test]
    async fn one_password_typed_on_two_keyboards_is_one_and_nothing_is_cut_off() {
        let passwords = quick();
        let stored = passwords.hash("caf\u{e9}\u{a0}\0 \u{1f980}").await.unwrap();
        for (typed, verdict) in [
            ("cafe\u{301} \0 \u{1f980}", Verdict::Right),
            ("caf\u{e9} ", Verdict::Wrong),
            ("caf\u{e9} \0", Verdict::Wrong),
            ("cafe \0 \u{1f980}", Verdict::Wrong),
        ] {
            let found = passwords.verify(typed, Some(&stored)).await.unwrap();
            assert_eq!(found, verdict, "{typed:?}");
        }
        let long = "x".repeat(1023);
        let stored = passwords.hash(&format!("{long}a")).await.unwrap();
        let found = passwords.verify(&format!("{long}b"), Some(&stored)).await;
        assert_eq!(found.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_weaker_hash_is_told_and_an_unbearable_one_is_not_computed() {
        let stored = quick().hash("four odd words here").await.unwrap();
        let passwords = Passwords::new(Metrics::default()).unwrap();
        let found = passwords.verify("four odd words here", Some(&stored)).await;
        assert_eq!(found.unwrap(), Verdict::Outdated);
        let tail = stored.split_once("p=1").unwrap().1;
        for head in [
            "m=131073,t=1",
            "m=4294967295,t=1",
            "m=8,t=17",
            "m=8,t=4294967295",
        ] {
            let stored = format!("$argon2id$v=19${head},p=1{tail}");
            assert!(readable(&stored).is_none(), "{head}");
        }
        for stored in [
            "",
            "!",
            "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5w",
            "$1$x$y",
        ] {
            let found = quick().verify("", Some(stored)).await.unwrap();
            assert_eq!(found, Verdict::Wrong, "{stored}");
        }
    }

    #[tokio::test]
    async fn whoever_waits_too_long_is_told_to_come_back() {
        let passwords = Passwords {
            patience: Duration::ZERO,
            ..quick()
        };
        let all = u32::try_from(passwords.turns.available_permits()).unwrap();
        let taken = Arc::clone(&passwords.turns).acquire_many_owned(all).await;
        let Err(Error::Refused(refusals)) = passwords.hash("x").await else {
            panic!("it was hashed without a turn");
        };
        assert_eq!(refusals[0].code, ErrorCode::RateLimited);
        assert!(refusals[0].retryable);
        drop(taken);
        assert!(passwords.hash("x").await.is_ok());
    }

    #[tokio::test]
    async fn a_client_that_hangs_up_frees_no_turn_before_its_hash_is_done() {
        let passwords = quick();
        let all = passwords.turns.available_permits();
        let idle = Arc::clone(&passwords.memory);
        {
            // The thread that hashes cannot go on while this is held.
            let _held = idle.lock().unwrap();
            assert!(passwords.hash("x").now_or_never().is_none());
            assert_eq!(passwords.turns.available_permits(), all - 1);
        }
        let all = u32::try_from(all).unwrap();
        drop(passwords.turns.acquire_many(all).await.unwrap());
        assert_eq!(
            idle.lock().unwrap().len(),
            1,
            "its memory was kept for the next"
        );
    }
}
