//! The user whose data is erased, and where their data occurs.

use postern_audit_log::commitment::PersonalField;
use postern_domain::{
    action::Action,
    id::{MemberId, UserId},
    user::UserKey,
};
use sea_orm::{
    ColumnTrait, Condition, DbBackend, EntityTrait, QueryFilter,
    sea_query::{Expr, Func},
};

use crate::{
    entity::{audit_event, membership, user},
    error::StoreError,
    repository::{text::contains, users},
    tx::Tx,
};

/// The user to erase, with the values that refer to them in events.
pub struct DataSubject {
    pub id: UserId,
    email: String,
    name: String,
    /// Target ids: the user and their current memberships.
    targets: Vec<String>,
}

impl DataSubject {
    /// Loads the user. None if there is no such user.
    pub async fn find(tx: &Tx, user: &UserKey) -> Result<Option<Self>, StoreError> {
        let Some(user) = user::Entity::find().filter(users::matches(user)).one(tx).await? else {
            return Ok(None);
        };
        let memberships = membership::Entity::find()
            .filter(membership::Column::UserId.eq(user.id))
            .all(tx)
            .await?;
        let id = UserId::new(user.id);
        let mut targets = vec![id.to_string()];
        targets.extend(memberships.into_iter().map(|row| MemberId::new(row.id).to_string()));
        Ok(Some(Self { id, email: user.email, name: user.name, targets }))
    }

    /// Condition for all events that may contain the user's data.
    pub fn mentioned(&self, backend: DbBackend) -> Condition {
        use audit_event::Column as C;
        let mentions =
            |column: C| contains(backend, Expr::col((audit_event::Entity, column)), &self.email);
        let metadata = Func::cast_as(Expr::col((audit_event::Entity, C::Metadata)), "text");
        Condition::any()
            .add(C::ActorId.eq(self.id.uuid()))
            .add(C::ActorEmail.eq(self.email.as_str()))
            .add(C::OnBehalfOfId.eq(self.id.uuid()))
            .add(C::TargetId.is_in(self.targets.iter().map(String::as_str)))
            .add(mentions(C::TargetLabel))
            .add(mentions(C::Summary))
            .add(mentions(C::Reason))
            .add(contains(backend, metadata.into(), &self.email))
    }

    /// Reports whether the text contains the user's e-mail address, or their name as separate
    /// words. Names of one or two characters are ignored: they occur in too many texts.
    pub fn is_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let contains_word = |word: &str| {
            text.match_indices(word).any(|(at, _)| {
                !letter(text[..at].chars().next_back())
                    && !letter(text[at + word.len()..].chars().next())
            })
        };
        contains_word(&self.email.to_lowercase())
            || (self.name.chars().count() > 2 && contains_word(&self.name.to_lowercase()))
    }

    /// The fields of an event that contain the user's data.
    pub fn fields(&self, row: &audit_event::Model) -> Vec<PersonalField> {
        let actor =
            row.actor_id == Some(self.id.uuid()) || row.actor_email.as_ref() == Some(&self.email);
        let impersonated = row.on_behalf_of_id == Some(self.id.uuid());
        let target = row.target_id.as_ref().is_some_and(|id| self.targets.contains(id));
        let fields = [
            (PersonalField::Actor, actor),
            // The actor's client; under impersonation, the staff member's.
            (PersonalField::Source, actor),
            (PersonalField::OnBehalfOf, impersonated),
            (PersonalField::Target, target || self.is_in(&row.target_label)),
            (PersonalField::Summary, actor || impersonated || target || self.is_in(&row.summary)),
            (PersonalField::Reason, row.reason.as_ref().is_some_and(|reason| self.is_in(reason))),
            // Former names, which cannot be matched, occur only here.
            (
                PersonalField::Metadata,
                row.action == Action::UserProfileUpdated.name() && (actor || target)
                    || self.is_in(&row.metadata.to_string()),
            ),
        ];
        fields.into_iter().filter(|(_, concerns)| *concerns).map(|(field, _)| field).collect()
    }
}
