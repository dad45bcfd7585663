//! Members of an account: invited by a link that works once, given roles, removed. An account keeps an owner.

use serde_json::json;
use tollgate_core::id::LinkId;
use tollgate_core::{AccountId, Right, Role, UserId};

use super::links::NewLink;
use super::sign_in::SignInStep;
use super::{DAY, MadeLink, Person, SignedIn, email};
use crate::operations::{Account, Actor, App, Client, Doing, ManageError, Page};
use crate::store::StoreError;
use crate::store::links::{Link, Purpose};
use crate::store::members::{Changed, Joined, Joining, Member, MemberChange};
use crate::store::users::{NewUser, User};

/// How long an invitation may be taken up, in days.
const INVITATION_DAYS: i64 = 7;
const ONLY_OWNERS: &str = "Only an owner gives or takes the role owner";

/// Which members somebody may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberPower {
    /// All of them: the operator, and owners.
    All,
    /// All but owners, and nobody becomes one: admins.
    AllButOwners,
}

/// What an invitation says to whoever opens its link.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// The account that it leads into.
    pub account: Account,
    /// The role that it gives.
    pub role: Role,
    /// To whom it was given.
    pub email: String,
    /// Whether somebody with this address can sign in: then signing in accepts it, and a password need not be chosen.
    pub has_user: bool,
    link: Link,
}

impl Person {
    /// Which members of the account it may change.
    ///
    /// # Errors
    /// It may change none: [`ManageError::Forbidden`].
    pub fn member_power(&self, account: &Account) -> Result<MemberPower, ManageError> {
        self.require(account, Right::ManageMembers)?;
        let all = self.user.operator || self.role_in(account.id) == Some(Role::Owner);
        Ok(if all { MemberPower::All } else { MemberPower::AllButOwners })
    }
}

impl App {
    /// An account's members, in the order in which their users were made.
    ///
    /// # Errors
    /// A bad page, or an outage.
    pub async fn members(&self, account: AccountId, page: &Page) -> Result<(Vec<Member>, String), ManageError> {
        let list = format!("members/{account}");
        let limit = page.limit()?;
        let after = page.cursor(self, &list, "")?;
        let entries = self.store.members(account, &after, limit + 1).await?;
        Ok(Page::cut(self, &list, limit, entries, |member| member.user.to_string()))
    }

    /// An account's open invitations, oldest first.
    ///
    /// # Errors
    /// A bad page, or an outage.
    pub async fn invitations(&self, account: AccountId, page: &Page) -> Result<(Vec<Link>, String), ManageError> {
        let list = format!("invitations/{account}");
        let limit = page.limit()?;
        let after = page.cursor(self, &list, "")?;
        let entries = self.store.invitations(account, self.now(), &after, limit + 1).await?;
        Ok(Page::cut(self, &list, limit, entries, |link| link.id.to_string()))
    }

    /// Invites somebody. An earlier invitation of the same address into the account is dead then.
    ///
    /// # Errors
    /// No e-mail address, a member already, a role that is not the caller's to give, or an outage.
    pub async fn invite(
        &self,
        doing: &Doing<'_>,
        power: MemberPower,
        account: &Account,
        address: &str,
        role: Role,
    ) -> Result<MadeLink, ManageError> {
        if role == Role::Owner && power != MemberPower::All {
            return Err(ManageError::Forbidden(ONLY_OWNERS));
        }
        let address = email(address)?;
        if let Some(member) = self.store.member_by_email(account.id, &address).await? {
            return Err(ManageError::Exists(format!("{address} is a member already, as {}", member.role)));
        }
        let mut made = self.make_link(doing, &invitation(account.id, &address, role)).await?;
        self.mail_invitation(doing, account, &mut made).await;
        Ok(made)
    }

    /// Creates an account, and invites its owner.
    ///
    /// # Errors
    /// A bad name, limit or address, or an outage.
    pub async fn create_account_for(
        &self,
        doing: &Doing<'_>,
        name: &str,
        key_limit: Option<i64>,
        owner: &str,
    ) -> Result<(Account, MadeLink), ManageError> {
        let owner = email(owner).map_err(|error| match error {
            ManageError::Invalid { message, .. } => ManageError::Invalid { field: "ownerEmail", message },
            other => other,
        })?;
        let account = self.new_account(name, key_limit)?;
        let (mut made, hash) = self.new_link(doing, &invitation(account.id, &owner, Role::Owner));
        // The form, if there is one, makes the account: the invitation comes with it.
        let unasked = Doing { form: None, ..doing.clone() };
        let events = [self.account_event(doing, &account), self.link_event(&unasked, &made.link)];
        self.store.insert_account_for(&account, (&made.link, &hash), &events).await?;
        self.mail_invitation(doing, &account, &mut made).await;
        Ok((account, made))
    }

    /// The accounts that a person sees, oldest first: its own, or all for the operator.
    ///
    /// # Errors
    /// A bad page, or an outage.
    pub async fn accounts_of(&self, person: &Person, page: &Page) -> Result<(Vec<Account>, String), ManageError> {
        if person.user.operator {
            return self.accounts(page).await;
        }
        let list = format!("accounts/{}", person.user.id);
        let limit = page.limit()?;
        let after = page.cursor(self, &list, "")?;
        let later = person.seats.iter().map(|seat| &seat.account).filter(|account| account.id.to_string() > after);
        let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        let entries = later.take(most).cloned().collect();
        Ok(Page::cut(self, &list, limit, entries, |account| account.id.to_string()))
    }

    /// Takes an open invitation back.
    ///
    /// # Errors
    /// The account has none such, or an outage.
    pub async fn withdraw_invitation(
        &self,
        doing: &Doing<'_>,
        account: AccountId,
        id: LinkId,
    ) -> Result<(), ManageError> {
        let event = doing.event(self, Some(account), None, "invitation.withdraw", id, &json!({}));
        if self.store.withdraw(account, id, &event).await? { Ok(()) } else { Err(ManageError::NotFound("invitation")) }
    }

    /// What the invitation behind a link says.
    ///
    /// # Errors
    /// The link was used before, taken back or has ended ([`ManageError::NotFound`]), or an outage.
    pub async fn invitation(&self, token: &str) -> Result<Invitation, ManageError> {
        let dead = || ManageError::NotFound("invitation");
        let link = self.link(token, Purpose::Invitation).await?.ok_or_else(dead)?;
        let (account, role) = link.account.zip(link.role).ok_or_else(dead)?;
        let account = self.account(account).await?;
        let has_user = self.store.user_by_email(&link.email).await?.is_some();
        Ok(Invitation { account, role, email: link.email.clone(), has_user, link })
    }

    /// Accepts an invitation as somebody who could not sign in before: makes the person with this password, and signs it
    /// in.
    ///
    /// # Errors
    /// A dead link, somebody with this address who must sign in instead ([`ManageError::Exists`]), a bad password, or an
    /// outage.
    pub async fn accept_as_new(
        &self,
        token: &str,
        password: &str,
        client: Client<'_>,
    ) -> Result<SignInStep, ManageError> {
        let invitation = self.invitation(token).await?;
        let exists = || {
            ManageError::Exists(format!("{} can sign in already: sign in to accept the invitation", invitation.email))
        };
        if invitation.has_user {
            return Err(exists());
        }
        let password = self.new_password(password, &invitation.email).await?;
        let now = self.now();
        let id = UserId::new(now, &*self.random);
        let new = NewUser { id, email: &invitation.email, password: Some(&password), operator: false, at: now };
        let user = User::from(&new);
        let (session, cookie, hash) = self.new_session(&user, client, false);
        let actor = Actor::Person(id);
        let doing = Doing { address: client.address, ..Doing::by(&actor) };
        let events = [
            self.join_event(&doing, &invitation, id),
            self.user_event(&doing, None, "session.create", id, &json!({ "session": session.id })),
        ];
        let joining = Joining::New(new, &session, &hash);
        match self.store.join(&invitation.link, invitation.target(), &joining, &events).await {
            Ok(Joined::Done) => Ok(SignInStep::Done { cookie, device: self.device(&user) }),
            Ok(Joined::DeadLink | Joined::Before) => Err(ManageError::NotFound("invitation")),
            Err(StoreError::Taken) => Err(exists()),
            Err(error) => Err(error.into()),
        }
    }

    /// Accepts an invitation as the person who is signed in. Returns the account.
    ///
    /// # Errors
    /// A dead link, an invitation of somebody else ([`ManageError::Forbidden`]), a member already, or an outage.
    pub async fn accept_as(&self, signed_in: &SignedIn, token: &str) -> Result<AccountId, ManageError> {
        let invitation = self.invitation(token).await?;
        let user = &signed_in.person.user;
        if user.email != invitation.email {
            return Err(ManageError::Forbidden(
                "This invitation is for another e-mail address: sign out, then open its link again",
            ));
        }
        let event = self.join_event(&signed_in.doing(None), &invitation, user.id);
        let joining = Joining::Known(user.id);
        match self.store.join(&invitation.link, invitation.target(), &joining, &[event]).await? {
            Joined::Done => Ok(invitation.account.id),
            Joined::DeadLink => Err(ManageError::NotFound("invitation")),
            Joined::Before => Err(ManageError::Exists("You are a member of this account already".to_owned())),
        }
    }

    /// Gives a member another role. It is in force at the member's next request.
    ///
    /// # Errors
    /// No such member, a role that is not the caller's to give or take, the last owner ([`ManageError::Precondition`]), or
    /// an outage.
    pub async fn change_role(
        &self,
        doing: &Doing<'_>,
        power: MemberPower,
        account: AccountId,
        user: UserId,
        role: Role,
    ) -> Result<Member, ManageError> {
        let owners_too = power == MemberPower::All;
        if role == Role::Owner && !owners_too {
            return Err(ManageError::Forbidden(ONLY_OWNERS));
        }
        let change = MemberChange { account, user, role: Some(role), owners_too };
        let member = self.changed_member(doing, "member.changeRole", change).await?;
        Ok(Member { role, ..member })
    }

    /// Removes a member. It is in force at the member's next request.
    ///
    /// # Errors
    /// As for [`App::change_role`].
    pub async fn remove_member(
        &self,
        doing: &Doing<'_>,
        power: MemberPower,
        account: AccountId,
        user: UserId,
    ) -> Result<(), ManageError> {
        let change = MemberChange { account, user, role: None, owners_too: power == MemberPower::All };
        self.changed_member(doing, "member.remove", change).await.map(|_| ())
    }

    /// Leaves an account.
    ///
    /// # Errors
    /// Not a member, the last owner ([`ManageError::Precondition`]), or an outage.
    pub async fn leave(&self, signed_in: &SignedIn, form: Option<&str>, account: AccountId) -> Result<(), ManageError> {
        let user = signed_in.person.user.id;
        let change = MemberChange { account, user, role: None, owners_too: true };
        self.changed_member(&signed_in.doing(form), "member.leave", change).await.map(|_| ())
    }

    /// The member as it was before.
    async fn changed_member(
        &self,
        doing: &Doing<'_>,
        action: &str,
        change: MemberChange,
    ) -> Result<Member, ManageError> {
        let missing = || ManageError::NotFound("member");
        let member = self.store.member(change.account, change.user).await?.ok_or_else(missing)?;
        let details = json!({ "email": member.email, "from": member.role.word(), "role": change.role.map(Role::word) });
        let event = self.user_event(doing, Some(change.account), action, change.user, &details);
        match self.store.change_member(change, &event).await? {
            Changed::Done => Ok(member),
            Changed::NoMember => Err(missing()),
            Changed::OwnerOnly => Err(ManageError::Forbidden(ONLY_OWNERS)),
            Changed::LastOwner => {
                Err(ManageError::Precondition("The last owner stays: make somebody else an owner first".to_owned()))
            }
        }
    }

    fn join_event(&self, doing: &Doing<'_>, invitation: &Invitation, user: UserId) -> crate::store::audit::Event {
        let details = json!({
            "email": invitation.email,
            "role": invitation.role.word(),
            "invitation": invitation.link.id,
        });
        self.user_event(doing, Some(invitation.account.id), "member.join", user, &details)
    }
}

impl Invitation {
    fn target(&self) -> (AccountId, Role) {
        (self.account.id, self.role)
    }
}

pub(super) fn invitation(account: AccountId, email: &str, role: Role) -> NewLink<'_> {
    NewLink {
        purpose: Purpose::Invitation,
        email,
        user: None,
        account: Some(account),
        role: Some(role),
        lifetime: INVITATION_DAYS * DAY,
    }
}
