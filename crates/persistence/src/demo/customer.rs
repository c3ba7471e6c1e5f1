//! A demo customer: an org with settings, members, usage and an event.

use chrono::TimeDelta;
use postern_domain::{
    actor::Actor,
    clock::RequestContext,
    credential::PasswordHash,
    feature::FeatureKey,
    id::OrgId,
    member::Member,
    org::{self, Org},
    plan::Plan,
    role::Role,
};
use sea_orm::{ActiveValue::Set, EntityTrait, IntoActiveModel};

use super::user::insert_user;
use crate::{
    entity::{feature_override, membership, org_setting, organization, usage_point},
    error::StoreError,
    event_writer,
    repository::orgs::row_of,
    tx::Tx,
};

pub struct Customer<'a> {
    pub slug: &'a str,
    pub name: &'a str,
    pub plan: Plan,
    /// Brand color.
    pub color: &'a str,
    /// Local part of the e-mail address, name and role of each member.
    pub members: &'a [(&'a str, &'a str, Role)],
}

impl Customer<'_> {
    pub async fn insert(
        &self,
        tx: &Tx,
        hash: &PasswordHash,
        context: &RequestContext,
    ) -> Result<(), StoreError> {
        let &Self { slug, name, plan, .. } = self;
        let org = Org {
            id: context.id(),
            slug: slug.to_owned(),
            name: name.to_owned(),
            plan,
            trial_ends_at: (plan == Plan::Starter).then(|| context.now + TimeDelta::days(14)),
            limits: plan.limits(),
            created_at: context.now,
            deletion_requested_at: None,
        };
        organization::Entity::insert(organization::Model::from(org.clone()).into_active_model())
            .exec_without_returning(tx)
            .await?;
        self.insert_settings(tx, org.id).await?;
        self.insert_members(tx, org.id, hash, context).await?;
        if plan == Plan::Growth {
            insert_sso_trial(tx, org.id, context).await?;
        }
        self.insert_usage(tx, org.id, context).await?;
        let draft = org::created(&org);
        let actor = Actor::Cli { command: "postern demo" };
        event_writer::write(tx, draft, &actor, Some(org.reference().into()), context).await
    }

    async fn insert_settings(&self, tx: &Tx, org: OrgId) -> Result<(), StoreError> {
        let settings = org_setting::ActiveModel {
            org_id: Set(org.uuid()),
            color: Set(Some(self.color.to_owned())),
            logo_url: Set(None),
            support_email: Set(Some(format!("it@{}.example", self.slug))),
            version: Set(1),
        };
        org_setting::Entity::insert(settings).exec_without_returning(tx).await?;
        Ok(())
    }

    async fn insert_members(
        &self,
        tx: &Tx,
        org: OrgId,
        hash: &PasswordHash,
        context: &RequestContext,
    ) -> Result<(), StoreError> {
        for &(local, name, role) in self.members {
            let email = format!("{local}@{}.example", self.slug);
            let user_id = insert_user(tx, &email, name, hash, context).await?;
            let member = Member {
                id: context.id(),
                user_id,
                email,
                name: name.to_owned(),
                role,
                created_at: context.now,
            };
            membership::Entity::insert(row_of(org, &member)).exec_without_returning(tx).await?;
        }
        Ok(())
    }

    /// Inserts one week of usage.
    async fn insert_usage(
        &self,
        tx: &Tx,
        org: OrgId,
        context: &RequestContext,
    ) -> Result<(), StoreError> {
        let max_projects = self.plan.limits().max_projects;
        for day in 0..7_i32 {
            for (metric, value) in [
                ("projects", max_projects / 3 + i64::from(day)),
                ("api_calls", 1_000 * i64::from(day + 1)),
            ] {
                let row = usage_point::ActiveModel {
                    org_id: Set(org.uuid()),
                    metric: Set(metric.to_owned()),
                    at: Set(context.now - TimeDelta::days(i64::from(6 - day))),
                    value: Set(value),
                };
                usage_point::Entity::insert(row).exec_without_returning(tx).await?;
            }
        }
        Ok(())
    }
}

async fn insert_sso_trial(tx: &Tx, org: OrgId, context: &RequestContext) -> Result<(), StoreError> {
    let row = feature_override::ActiveModel {
        org_id: Set(org.uuid()),
        feature: Set(FeatureKey::Sso.name().to_owned()),
        enabled: Set(true),
        reason: Set("trial of single sign-on agreed in SUP-4100".to_owned()),
        expires_at: Set(Some(context.now + TimeDelta::days(30))),
    };
    feature_override::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}
