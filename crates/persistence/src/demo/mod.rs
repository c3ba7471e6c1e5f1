//! Demo data: a vendor's staff and three customers, with usage and audit events.
//!
//! It is loaded only into an empty database, which is then marked as a demo.

mod bulk;

use std::sync::Arc;

use chrono::TimeDelta;
use postern_domain::{
    Id,
    action::Action,
    actor::Actor,
    clock::RequestContext,
    credential::PasswordHash,
    event::EventDraft,
    feature::{FeatureKey, Plan},
    id::UserId,
    member::Member,
    org::{Limits, Org},
    role::Role,
    staff::Tier,
};
use sea_orm::{ActiveValue::Set, EntityTrait, IntoActiveModel};
use secrecy::ExposeSecret;

use crate::{
    entity::{
        credential, feature_override, instance, membership, org_setting, organization, staff,
        usage_point, user,
    },
    error::StoreError,
    event_writer,
    repository::orgs::row_of,
    store::Store,
    tx::{Mode, Tx},
};

pub use bulk::{Size, fill};

/// Password of all demo accounts.
pub const PASSWORD: &str = "postern-demo-2026";

const STAFF: [(&str, &str, Tier); 5] = [
    ("support", "Sam Okoro", Tier::Support),
    ("ops", "Olga Petrova", Tier::Operations),
    ("eng", "Emil Haas", Tier::Engineering),
    ("super", "Sofia Marin", Tier::SuperAdmin),
    ("super2", "Sven Dahl", Tier::SuperAdmin),
];

const ORGS: [(&str, &str, Plan); 3] = [
    ("acme", "Acme Corporation", Plan::Enterprise),
    ("globex", "Globex Industries", Plan::Growth),
    ("initech", "Initech", Plan::Starter),
];

const MEMBERS: [(&str, [&str; 3], Role); 4] = [
    ("owner", ["Ana Costa", "Gita Rao", "Ines Blum"], Role::Owner),
    ("admin", ["Ada Novak", "Goran Ilic", "Ivo Kern"], Role::Admin),
    ("member", ["Mia Lund", "Marc Petit", "Mona Sato"], Role::Member),
    ("viewer", ["Vera Wolf", "Viktor Nagy", "Vito Greco"], Role::Viewer),
];

#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("demo data requires a database of its own, and this one is not a demo database")]
    NotADemo,
    #[error(
        "company-1 already exists: a demo database is filled once, create another one for more data"
    )]
    FilledAlready,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sea_orm::DbErr> for DemoError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// E-mail addresses to sign in with, by staff or org.
#[must_use]
pub fn sign_ins() -> Vec<(String, Vec<String>)> {
    let staff = STAFF.map(|(local, _, _)| format!("{local}@postern.example")).to_vec();
    let orgs = ORGS.map(|(slug, _, plan)| {
        (
            format!("{slug} ({})", plan.name()),
            MEMBERS.map(|(local, _, _)| format!("{local}@{slug}.example")).to_vec(),
        )
    });
    std::iter::once(("staff".to_owned(), staff)).chain(orgs).collect()
}

/// Loads the demo data. A repeated call changes nothing.
///
/// `hash` is awaited only on the first call: hashing takes 19 MiB.
pub async fn load(
    store: &Arc<Store>,
    hash: impl Future<Output = PasswordHash>,
    context: &RequestContext,
) -> Result<(), DemoError> {
    let tx = Tx::begin(store, Mode::Write).await?;
    if is_marked(&tx).await? {
        return Ok(());
    }
    if somebody(&tx).await? {
        return Err(DemoError::NotADemo);
    }
    let hash = &hash.await;
    let mark =
        instance::ActiveModel { key: Set("demo".to_owned()), value: Set(context.now.to_rfc3339()) };
    instance::Entity::insert(mark).exec_without_returning(&tx).await?;
    for (local, name, tier) in STAFF {
        let id = person(&tx, &format!("{local}@postern.example"), name, hash, context).await?;
        let row = staff::ActiveModel {
            user_id: Set(id.uuid()),
            tier: Set(tier.name().to_owned()),
            since: Set(context.now),
        };
        staff::Entity::insert(row).exec_without_returning(&tx).await?;
    }
    for (n, (slug, name, plan)) in ORGS.into_iter().enumerate() {
        customer(&tx, n, slug, name, plan, hash, context).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Reports whether the demo data is loaded.
pub async fn is_loaded(store: &Arc<Store>) -> Result<bool, StoreError> {
    is_marked(&Tx::begin(store, Mode::Read).await?).await
}

/// Reports whether the database has any accounts.
pub async fn has_people(store: &Arc<Store>) -> Result<bool, StoreError> {
    somebody(&Tx::begin(store, Mode::Read).await?).await
}

async fn is_marked(tx: &Tx) -> Result<bool, StoreError> {
    Ok(instance::Entity::find_by_id("demo").one(tx).await?.is_some())
}

async fn somebody(tx: &Tx) -> Result<bool, StoreError> {
    Ok(user::Entity::find().one(tx).await?.is_some())
}

async fn person(
    tx: &Tx,
    email: &str,
    name: &str,
    hash: &PasswordHash,
    context: &RequestContext,
) -> Result<UserId, DemoError> {
    let id = context.id();
    let row = user::ActiveModel {
        id: Set(Id::uuid(id)),
        email: Set(email.to_owned()),
        name: Set(name.to_owned()),
        image_url: Set(None),
        created_at: Set(context.now),
        suspended_at: Set(None),
    };
    user::Entity::insert(row).exec_without_returning(tx).await?;
    let row = credential::ActiveModel {
        user_id: Set(Id::uuid(id)),
        password_hash: Set(hash.expose_secret().to_owned()),
        changed_at: Set(context.now),
    };
    credential::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(id)
}

async fn customer(
    tx: &Tx,
    n: usize,
    slug: &str,
    name: &str,
    plan: Plan,
    hash: &PasswordHash,
    context: &RequestContext,
) -> Result<(), DemoError> {
    let Limits { max_users, max_projects } = plan.limits();
    let org = Org {
        id: context.id(),
        slug: slug.to_owned(),
        name: name.to_owned(),
        plan,
        trial_ends_at: (plan == Plan::Starter).then(|| context.now + TimeDelta::days(14)),
        limits: Limits { max_users, max_projects },
        created_at: context.now,
        deletion_requested_at: None,
    };
    organization::Entity::insert(organization::Model::from(org.clone()).into_active_model())
        .exec_without_returning(tx)
        .await?;
    let settings = org_setting::ActiveModel {
        org_id: Set(org.id.uuid()),
        color: Set(Some(["#b91c1c", "#0a7d5c", "#1d4ed8"][n].to_owned())),
        logo_url: Set(None),
        support_email: Set(Some(format!("it@{slug}.example"))),
        version: Set(1),
    };
    org_setting::Entity::insert(settings).exec_without_returning(tx).await?;
    for (local, names, role) in MEMBERS {
        let email = format!("{local}@{slug}.example");
        let user_id = person(tx, &email, names[n], hash, context).await?;
        let member = Member {
            id: context.id(),
            user_id,
            email,
            name: names[n].to_owned(),
            role,
            created_at: context.now,
        };
        membership::Entity::insert(row_of(org.id, &member)).exec_without_returning(tx).await?;
    }
    if plan == Plan::Growth {
        let row = feature_override::ActiveModel {
            org_id: Set(org.id.uuid()),
            feature: Set(FeatureKey::Sso.name().to_owned()),
            enabled: Set(true),
            reason: Set("trial of single sign-on agreed in SUP-4100".to_owned()),
            expires_at: Set(Some(context.now + TimeDelta::days(30))),
        };
        feature_override::Entity::insert(row).exec_without_returning(tx).await?;
    }
    for day in 0..7_i32 {
        for (metric, value) in [
            ("projects", max_projects / 3 + i64::from(day)),
            ("api_calls", 1_000 * i64::from(day + 1)),
        ] {
            let row = usage_point::ActiveModel {
                org_id: Set(org.id.uuid()),
                metric: Set(metric.to_owned()),
                at: Set(context.now - TimeDelta::days(i64::from(6 - day))),
                value: Set(value),
            };
            usage_point::Entity::insert(row).exec_without_returning(tx).await?;
        }
    }
    let draft =
        EventDraft::new(Action::OrgCreated, org.target(), format!("created the org {slug}"))
            .with_metadata("name", name);
    event_writer::write(
        tx,
        draft,
        &Actor::Cli { command: "postern demo" },
        Some(org.reference()),
        context,
    )
    .await?;
    Ok(())
}
