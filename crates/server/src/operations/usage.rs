//! Usage: what was counted.

use std::collections::HashMap;

use tollgate_core::{AccountId, Timestamp};

use super::App;
use super::manage::ManageError;
use crate::store::projects::Above;
use crate::store::usage::{Grouping, UsageSum};

/// The days that are shown when no period is given.
const DEFAULT_DAYS: i64 = 30;

/// What is asked of an account's usage. Hours are counted whole.
#[derive(Debug, Clone, Copy)]
pub struct UsageQuestion {
    /// From this instant's hour on; absent means 30 days before the end.
    pub from: Option<Timestamp>,
    /// Up to, not including, this instant's hour; absent means now, the present hour included.
    pub to: Option<Timestamp>,
    /// How it is summed.
    pub grouping: Grouping,
}

/// An account's usage.
#[derive(Debug)]
pub struct Usage {
    /// The sums.
    pub sums: Vec<UsageSum>,
    /// Display names of what is summed, by id.
    pub names: HashMap<String, String>,
    /// The first hour that is in.
    pub from: Timestamp,
    /// The first hour that is not.
    pub to: Timestamp,
    /// Everything that was let through up to here is in.
    pub counted_up_to: Timestamp,
}

impl App {
    /// Sums up what was counted.
    ///
    /// # Errors
    /// The account does not exist, the period ends before it begins, or an outage.
    pub async fn usage(&self, account: AccountId, question: UsageQuestion) -> Result<Usage, ManageError> {
        self.account(account).await?;
        let counted_up_to = self.now();
        self.ledger.flush().await?;
        let next_hour = Timestamp(counted_up_to.hour().0 + Timestamp::HOUR);
        let to = question.to.map_or(next_hour, Timestamp::hour);
        let from = question.from.unwrap_or(to.plus_seconds(-DEFAULT_DAYS * 86_400)).hour();
        if from > to {
            return Err(ManageError::invalid("from", "must be before the end of the period"));
        }
        let sums = self.store.usage(account, from, to, question.grouping).await?;
        let names = self.names(account, question.grouping).await?;
        Ok(Usage { sums, names, from, to, counted_up_to })
    }

    async fn names(&self, account: AccountId, grouping: Grouping) -> Result<HashMap<String, String>, ManageError> {
        match grouping {
            Grouping::Key => Ok(self.store.key_names(account).await?.into_iter().collect()),
            Grouping::Project => {
                let mut names = HashMap::new();
                for project in self.store.projects(Above::Account(account), "", true, i64::MAX).await? {
                    let below = self.store.projects(Above::Project(project.id), "", true, i64::MAX).await?;
                    for named in below.into_iter().chain([project]) {
                        names.insert(named.id.to_string(), named.display_name);
                    }
                }
                Ok(names)
            }
            Grouping::Product | Grouping::Day | Grouping::Hour => Ok(HashMap::new()),
        }
    }
}
