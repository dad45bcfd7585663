//! What is written in mail: plain text, with a link that comes from the configured public URL.

use tollgate_core::Timestamp;
use zeroize::Zeroizing;

use super::MadeLink;
use super::post::Errand;
use crate::operations::{Account, Actor, App, Doing};

/// Characters that are kept of a name that somebody chose.
const NAME: usize = 80;

/// One message to one person.
pub(super) struct Letter {
    pub(super) to: String,
    pub(super) subject: String,
    /// It holds the link.
    pub(super) text: Zeroizing<String>,
}

impl Letter {
    fn invitation(made: &MadeLink, account: &str, inviter: &str) -> Self {
        let role = made.link.role.map_or("", tollgate_core::Role::word);
        let text = format!(
            "{inviter} invites you to the account \"{account}\" with the role {role}.\n\n\
             To accept, open this link before {}. It works once:\n\n{}\n\n\
             If you do not expect this, ignore it: nothing happens.\n",
            minute(made.link.ends_at),
            made.url,
        );
        let subject = format!("Invitation to {account}");
        Self { to: made.link.email.clone(), subject, text: Zeroizing::new(text) }
    }

    pub(super) fn reset(made: &MadeLink) -> Self {
        let text = format!(
            "Somebody asked for a new password for {}.\n\n\
             To set one, open this link before {}. It works once, and ends all your sessions:\n\n{}\n\n\
             If that was not you, ignore it: your password stays as it is.\n",
            made.link.email,
            minute(made.link.ends_at),
            made.url,
        );
        Self { to: made.link.email.clone(), subject: "Set a new password".to_owned(), text: Zeroizing::new(text) }
    }
}

impl App {
    /// Mails an invitation that was just made, if mail goes out.
    pub(super) async fn mail_invitation(&self, doing: &Doing<'_>, account: &Account, made: &mut MadeLink) {
        if !self.sends_mail() {
            return;
        }
        let inviter = match doing.actor {
            // Who it is only decorates the letter: an outage here stops nothing.
            Actor::Person(id) => self.store.user(*id).await.ok().flatten().map(|(user, _)| plain(&user.email)),
            Actor::Operator | Actor::Key { .. } | Actor::Nobody => None,
        };
        let inviter = inviter.unwrap_or_else(|| "The operator".to_owned());
        let letter = Letter::invitation(made, &plain(&account.display_name), &inviter);
        made.is_mailed = self.post.send(Errand::Letter(letter));
    }
}

/// A name that somebody chose, as one line of text.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| !tollgate_core::name::is_refused(*letter)).take(NAME).collect()
}

/// 2026-11-23 17:31 UTC
fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{day} {} UTC", time.get(..5).unwrap_or(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_short_line() {
        assert_eq!(plain("a\r\nBcc: x\u{202e}\u{7}"), "aBcc: x");
        assert_eq!(plain(&"x".repeat(200)).len(), NAME);
        assert_eq!(minute(Timestamp(1_700_000_000_000_000)), "2023-11-14 22:13 UTC");
    }
}
