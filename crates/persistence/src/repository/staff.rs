//! The vendor's staff.

use postern_domain::{
    Id,
    id::UserId,
    scope,
    staff::{LockedStaff, StaffMember, TierAssignment},
    tier::Tier,
    user::UserKey,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
    prelude::DateTimeUtc,
    sea_query::{Expr, ExprTrait, LockType, OnConflict, Query},
};
use uuid::Uuid;

use super::{
    page::{Page, PageRequest},
    users,
};
use crate::{
    entity::{staff, user},
    error::{StoreError, unknown},
    persist::{Persist, WriteContext},
    tx::Tx,
};

/// Lock held while tiers change. Any number, but always the same.
const TIER_LOCK: i64 = 0x0050_6f73_7465_7274;

pub struct StaffList<'a> {
    tx: &'a Tx,
}

impl<'a> StaffList<'a> {
    pub(crate) const fn new(tx: &'a Tx) -> Self {
        Self { tx }
    }

    pub async fn page(&self, page: PageRequest) -> Result<Page<StaffMember>, StoreError> {
        let mut query = Query::select()
            .columns([
                (staff::Entity, staff::Column::UserId),
                (staff::Entity, staff::Column::Tier),
                (staff::Entity, staff::Column::Since),
            ])
            .columns([(user::Entity, user::Column::Email), (user::Entity, user::Column::Name)])
            .from(staff::Entity)
            .inner_join(
                user::Entity,
                Expr::col((user::Entity, user::Column::Id))
                    .equals((staff::Entity, staff::Column::UserId)),
            )
            .take();
        page.apply(&mut query, Expr::col((staff::Entity, staff::Column::UserId)));
        let rows = self.tx.query_all(&query).await?;
        let members: Result<Vec<StaffMember>, StoreError> =
            rows.iter().map(|row| Row::from_query_result(row, "")?.try_into()).collect();
        Ok(page.into_page(members?, |member| member.user_id.uuid()))
    }

    /// The user, with the rows that must not change while `caller` decides about their tier.
    pub async fn find_for_update(
        &self,
        user: &UserKey,
        caller: Option<UserId>,
    ) -> Result<Option<LockedStaff>, StoreError> {
        let condition = users::matches(user);
        // Row locks do not cover rows that are being added, so changes of tiers run one at a time.
        self.tx.wait_for(TIER_LOCK).await?;
        // The user's row is locked against the start of an impersonation.
        let user = user::Entity::find().filter(condition).lock(LockType::Update);
        let Some(user) = user.one(self.tx).await? else { return Ok(None) };
        let ids = [Some(user.id), caller.map(Id::uuid)].into_iter().flatten();
        let rows = staff::Entity::find()
            .filter(
                staff::Column::UserId
                    .is_in(ids)
                    .or(staff::Column::Tier.eq(Tier::SuperAdmin.name())),
            )
            .all(self.tx)
            .await?;
        let of = |id: Uuid| rows.iter().find(|row| row.user_id == id);
        let current = of(user.id)
            .map(|row| Ok::<_, StoreError>((known_tier(&row.tier)?, row.since)))
            .transpose()?;
        let caller = caller
            .map(|id| {
                Ok::<_, StoreError>((
                    id,
                    of(id.uuid()).map(|row| known_tier(&row.tier)).transpose()?,
                ))
            })
            .transpose()?;
        let super_admins =
            rows.iter().filter(|row| row.tier == Tier::SuperAdmin.name()).count() as u64;
        Ok(Some(LockedStaff { user: user.into(), current, caller, super_admins }))
    }
}

/// Parses a stored tier.
pub(crate) fn tier(name: Option<String>) -> Result<Option<Tier>, StoreError> {
    name.map(|name| known_tier(&name)).transpose()
}

fn known_tier(name: &str) -> Result<Tier, StoreError> {
    Tier::parse(name).ok_or_else(|| unknown("tier", name))
}

#[derive(FromQueryResult)]
struct Row {
    user_id: Uuid,
    email: String,
    name: String,
    tier: String,
    since: DateTimeUtc,
}

impl TryFrom<Row> for StaffMember {
    type Error = StoreError;

    fn try_from(Row { user_id, email, name, tier, since }: Row) -> Result<Self, StoreError> {
        let tier = known_tier(&tier)?;
        Ok(Self { user_id: Id::new(user_id), email, name, tier, since })
    }
}

impl Persist<scope::Staff> for TierAssignment {
    async fn persist(&self, to: WriteContext<'_, scope::Staff>) -> Result<(), StoreError> {
        let Self { user, tier, since } = self;
        match tier {
            None => staff::Entity::delete_by_id(user.id.uuid()).exec(to.tx).await.map(drop)?,
            Some(tier) => {
                let row = staff::ActiveModel {
                    user_id: Set(user.id.uuid()),
                    tier: Set(tier.name().to_owned()),
                    since: Set(*since),
                };
                let other_tier = OnConflict::column(staff::Column::UserId)
                    .update_columns([staff::Column::Tier, staff::Column::Since])
                    .to_owned();
                staff::Entity::insert(row)
                    .on_conflict(other_tier)
                    .exec_without_returning(to.tx)
                    .await
                    .map(drop)?;
            }
        }
        Ok(())
    }
}
