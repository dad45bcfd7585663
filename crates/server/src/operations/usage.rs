//! Usage: what was counted.

use std::collections::HashMap;

use tollgate_core::calendar::Month;
use tollgate_core::{AccountId, ProjectId, Timestamp};

use super::App;
use super::manage::ManageError;
use super::units::AHEAD_SECONDS;
use crate::store::usage::{Grouping, Slice, UsageRange, UsageSum, UsedName};

/// The days that are shown when no period is given.
const DEFAULT_DAYS: i64 = 30;

/// What is asked of an account's usage. Hours are counted whole.
#[derive(Debug, Clone, Copy)]
pub struct UsageQuestion {
    /// In this project and its subprojects only.
    pub within: Option<ProjectId>,
    /// From this instant's hour on; absent means 30 days before the end.
    pub from: Option<Timestamp>,
    /// Up to, not including, this instant's hour; absent means now, the present hour included.
    pub to: Option<Timestamp>,
    /// How it is summed.
    pub grouping: Grouping,
    /// Which of the sums.
    pub slice: Slice,
}

/// An account's usage.
#[derive(Debug)]
pub struct Usage {
    /// The sums.
    pub sums: Vec<UsageSum>,
    /// Names of what is summed, by id.
    pub names: HashMap<String, UsedName>,
    /// The first hour that is in.
    pub from: Timestamp,
    /// The first hour that is not.
    pub to: Timestamp,
    /// Everything that was let through up to here is in.
    pub counted_up_to: Timestamp,
}

/// What an account used in a month.
#[derive(Debug)]
pub struct Statement {
    /// Projects and subprojects with their sums by product.
    pub projects: Vec<(String, Vec<UsageSum>)>,
    /// Names of the projects, by id.
    pub names: HashMap<String, UsedName>,
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
        // Behind the last event that may have come there is nothing: up to the month's end, sums are made of whole days and
        // months.
        let up_to = match question.grouping {
            Grouping::Hour => to,
            _ if to > counted_up_to.plus_seconds(AHEAD_SECONDS) => to.max(Month::of(counted_up_to).plus(1).start()),
            _ => to,
        };
        let range = UsageRange { account, within: question.within, from, to: up_to };
        let sums = self.store.usage(&range, question.grouping, question.slice).await?;
        let names = self.names(&sums, question.grouping).await?;
        Ok(Usage { sums, names, from, to, counted_up_to })
    }

    /// The same once more, summed by day or by hour, without writing first what is in memory: for the drawing beside it.
    ///
    /// # Errors
    /// An outage.
    pub async fn usage_over_time(
        &self,
        account: AccountId,
        within: Option<ProjectId>,
        (from, to): (Timestamp, Timestamp),
        grouping: Grouping,
    ) -> Result<Vec<UsageSum>, ManageError> {
        let range = UsageRange { account, within, from: from.hour(), to: to.hour() };
        Ok(self.store.usage(&range, grouping, Slice::ALL).await?)
    }

    /// What an account used in a month, by project and product.
    ///
    /// # Errors
    /// An outage.
    pub async fn statement(&self, account: AccountId, month: Month) -> Result<Statement, ManageError> {
        let counted_up_to = self.now();
        self.ledger.flush().await?;
        let days = (month.start(), month.plus(1).start());
        let mut projects: Vec<(String, Vec<UsageSum>)> = Vec::new();
        for (project, sum) in self.store.usage_by_project_and_product(account, days).await? {
            match projects.last_mut() {
                Some((known, sums)) if *known == project => sums.push(sum),
                _ => projects.push((project, vec![sum])),
            }
        }
        let ids: Vec<&str> = projects.iter().map(|(id, _)| &**id).collect();
        let names = self.store.project_names(&ids).await?.into_iter().collect();
        Ok(Statement { projects, names, counted_up_to })
    }

    async fn names(&self, sums: &[UsageSum], grouping: Grouping) -> Result<HashMap<String, UsedName>, ManageError> {
        let ids: Vec<&str> = sums.iter().map(|sum| &*sum.group).collect();
        let names = match grouping {
            Grouping::Key => self.store.credential_names(&ids).await?,
            Grouping::Project => self.store.project_names(&ids).await?,
            Grouping::Product | Grouping::Day | Grouping::Hour => Vec::new(),
        };
        Ok(names.into_iter().collect())
    }
}
