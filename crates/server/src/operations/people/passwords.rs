//! People's passwords: argon2id, off the async threads, a few at a time.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::operations::{App, ManageError};

/// How many are hashed at once: each takes 19 MiB and some 20 ms of a core.
const AT_ONCE: usize = 2;
const SHORTEST: usize = 10;
const LONGEST: usize = 200;
/// What is checked when there is no such person, or no password: the answer is no, after the same work.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzaXh0ZWVuIGJ5dA$8Nx1BKbwnhLPc7PzcYDRLmmgnv8trtNeWFYbAjVkgDQ";

pub(crate) struct Passwords(Semaphore);

impl Default for Passwords {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Passwords {
    /// Runs the work on a thread of its own, when it is its turn. `None` when the server is stopping.
    async fn turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let _turn = self.0.acquire().await.ok()?;
        tokio::task::spawn_blocking(work).await.ok()
    }
}

impl App {
    /// Whether the password fits the hash; the same work when there is none.
    pub(super) async fn password_fits(&self, password: &str, stored: Option<String>) -> bool {
        let password = Zeroizing::new(password.to_owned());
        let fits = self.passwords.turn(move || {
            let exists = stored.is_some();
            let text = stored.unwrap_or_else(|| NOBODY.to_owned());
            let Ok(hash) = PasswordHash::new(&text) else { return false };
            Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && exists
        });
        fits.await.unwrap_or(false)
    }

    /// Checks a new password and hashes it. Length is all that is asked for; no rule makes people invent worse ones.
    pub(super) async fn new_password(&self, password: &str, email: &str) -> Result<String, ManageError> {
        check_password(password, email)?;
        let password = Zeroizing::new(password.to_owned());
        let mut salt = [0_u8; 16];
        self.random.fill(&mut salt);
        let hashed = self.passwords.turn(move || {
            let hash: Result<PasswordHash, _> = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string())
        });
        match hashed.await {
            Some(Ok(hash)) => Ok(hash),
            Some(Err(_)) | None => Err(ManageError::Precondition("The server is stopping; try again".to_owned())),
        }
    }
}

/// What a new password must be like.
pub(super) fn check_password(password: &str, email: &str) -> Result<(), ManageError> {
    let bad = |message: String| Err(ManageError::invalid("password", message));
    let letters = password.chars().count();
    if letters < SHORTEST {
        return bad(format!("must have at least {SHORTEST} characters; a few words are easy to remember"));
    }
    if letters > LONGEST {
        return bad(format!("must have at most {LONGEST} characters"));
    }
    if password.to_lowercase() == email || password.chars().all(|letter| password.starts_with(letter)) {
        return bad("is too easy to guess; take a few words".to_owned());
    }
    Ok(())
}
