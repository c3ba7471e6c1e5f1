//! The demo data that `--demo` loads.

use std::sync::Arc;

use postern_domain::{
    clock::RequestContext, credential::PasswordHash, plan::Plan, role::Role, tier::Tier,
};
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::{customer::Customer, error::DemoError, marker, user};
use crate::{backend::Mode, entity::staff, instance::SETUP_LOCK, store::Store, tx::Tx};

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

/// Brand color of each org.
const COLORS: [&str; 3] = ["#b91c1c", "#0a7d5c", "#1d4ed8"];

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
    tx.wait_for(SETUP_LOCK).await?;
    if marker::is_marked(&tx).await? {
        return Ok(());
    }
    if user::any(&tx).await? {
        return Err(DemoError::NotADemo);
    }
    let hash = &hash.await;
    marker::mark(&tx, context).await?;
    for (local, name, tier) in STAFF {
        let email = format!("{local}@postern.example");
        let id = user::insert_user(&tx, &email, name, hash, context).await?;
        let row = staff::ActiveModel {
            user_id: Set(id.uuid()),
            tier: Set(tier.name().to_owned()),
            since: Set(context.now),
        };
        staff::Entity::insert(row).exec_without_returning(&tx).await?;
    }
    for (n, (slug, name, plan)) in ORGS.into_iter().enumerate() {
        let members = MEMBERS.map(|(local, names, role)| (local, names[n], role));
        Customer { slug, name, plan, color: COLORS[n], members: &members }
            .insert(&tx, hash, context)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}
