//! The second factor: its sealed secret, the last step that was used, and the keyed hashes of recovery codes.

use tollgate_core::UserId;
use tollgate_core::id::SessionId;
use tollgate_core::master::SecretHash;

use super::audit::Event;
use super::engine::{Sql, Tx, Writer, statements};
use super::sessions::{Renewal, Session};
use super::value::args;
use super::{Store, StoreError};

statements! {
    SET_FACTOR = Sql::both(
        "UPDATE users SET factor = $2, factor_master = $3, factor_step = $4, updated_at = $5 WHERE id = $1 AND factor IS NULL");
    TAKE_FACTOR = Sql::both("UPDATE users SET factor = NULL, factor_master = NULL, updated_at = $2 WHERE id = $1");
    // What makes a code work once, however often it is sent at once.
    USE_STEP = Sql::both(
        "UPDATE users SET factor_step = $2 WHERE id = $1 AND factor_step < $2 AND factor IS NOT NULL");
    INSERT_CODE = Sql::both("INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)");
    USE_CODE = Sql::both("DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2");
    FORGET_CODES = Sql::both("DELETE FROM recovery_codes WHERE user_id = $1");
    CODES = Sql::both("SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1");
}

/// A code that fits, not yet used up.
pub(crate) enum FactorProof {
    /// A code of this step of time.
    Step(i64),
    /// A recovery code, under each master key.
    Recovery(Vec<SecretHash>),
}

/// A factor that is switched on.
pub(crate) struct NewFactor<'a> {
    pub(crate) sealed: &'a [u8],
    /// The fingerprint of the master key that it is sealed under.
    pub(crate) master: &'a str,
    /// The step of the code that proved it.
    pub(crate) step: i64,
    pub(crate) codes: &'a [SecretHash],
}

/// A change of a factor that is there.
pub(crate) enum FactorChange<'a> {
    Off,
    NewCodes(&'a [SecretHash]),
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FactorDone {
    Done,
    /// The code was used before, or never was one.
    Wrong,
    /// Another request has switched the factor on, or renewed the session.
    Overtaken,
}

impl Store {
    /// Switches the factor on. The other sessions end.
    pub(crate) async fn enable_factor(
        &self,
        user: UserId,
        new: &NewFactor<'_>,
        renewal: &Renewal,
        event: &Event,
    ) -> Result<FactorDone, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        let values = args![user, new.sealed, new.master, new.step, event.at];
        if tx.execute(SET_FACTOR, values).await? == 0 || !tx.renew_session(renewal).await? {
            return Ok(FactorDone::Overtaken);
        }
        tx.put_codes(user, new.codes).await?;
        tx.end_sessions(user, Some(renewal.session)).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| FactorDone::Done)
    }

    /// Uses a code up and changes the factor. The other sessions end.
    pub(crate) async fn change_factor(
        &self,
        (user, proof): (UserId, &FactorProof),
        change: &FactorChange<'_>,
        renewal: &Renewal,
        event: &Event,
    ) -> Result<FactorDone, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if !tx.use_proof(user, proof).await? {
            return Ok(FactorDone::Wrong);
        }
        if !tx.renew_session(renewal).await? {
            return Ok(FactorDone::Overtaken);
        }
        match change {
            FactorChange::Off => {
                tx.execute(TAKE_FACTOR, args![user, event.at]).await?;
                tx.put_codes(user, &[]).await?;
            }
            FactorChange::NewCodes(codes) => tx.put_codes(user, codes).await?,
        }
        tx.end_sessions(user, Some(renewal.session)).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| FactorDone::Done)
    }

    /// Uses a code up, and puts a session in place of the one that waited for it. `false` when the code was used before, or
    /// the session is gone.
    pub(crate) async fn finish_sign_in(
        &self,
        pending: SessionId,
        proof: &FactorProof,
        (session, hash): (&Session, &[u8]),
        event: &Event,
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if !tx.use_proof(session.user, proof).await? || !tx.end_session(session.user, pending).await? {
            return Ok(false);
        }
        tx.insert_session(session, hash).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }

    /// How many recovery codes are left.
    pub(crate) async fn recovery_codes(&self, user: UserId) -> Result<i64, StoreError> {
        self.engine.row(CODES, args![user]).await?.map_or(Ok(0), |row| row.int(0))
    }
}

impl Tx<'_> {
    async fn use_proof(&mut self, user: UserId, proof: &FactorProof) -> Result<bool, StoreError> {
        match proof {
            FactorProof::Step(step) => Ok(self.execute(USE_STEP, args![user, *step]).await? == 1),
            FactorProof::Recovery(hashes) => {
                for hash in hashes {
                    if self.execute(USE_CODE, args![user, hash.as_bytes().as_slice()]).await? == 1 {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// These codes, and no others.
    async fn put_codes(&mut self, user: UserId, codes: &[SecretHash]) -> Result<(), StoreError> {
        self.execute(FORGET_CODES, args![user]).await?;
        for code in codes {
            self.execute(INSERT_CODE, args![user, code.as_bytes().as_slice()]).await?;
        }
        Ok(())
    }
}
