use std::collections::BTreeMap;

use postern_domain::{
    Id,
    action::Action,
    entry::{CommitmentSalts, Part},
    event::{ActorRef, ActorType, Event, OnBehalfOf, Outcome, Source, Target, TargetType},
    org::OrgRef,
    staff::Tier,
};
use postern_tlog::Hash;
use sea_orm::entity::prelude::*;
use serde_json::{Map, Value};

use crate::error::{StoreError, unknown};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "audit_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub occurred_at: DateTimeUtc,
    pub org_id: Option<Uuid>,
    pub org_slug: Option<String>,
    pub actor_type: String,
    pub actor_id: Option<Uuid>,
    pub actor_email: Option<String>,
    pub actor_tier: Option<String>,
    pub on_behalf_of_id: Option<Uuid>,
    pub on_behalf_of_email: Option<String>,
    pub action: String,
    pub outcome: String,
    pub target_type: String,
    pub target_id: Option<String>,
    pub target_label: String,
    pub summary: String,
    pub reason: Option<String>,
    pub ticket_ref: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub session_id: Option<Uuid>,
    pub impersonation_id: Option<Uuid>,
    pub request_id: Option<String>,
    pub schema_version: i32,
    /// One salt for each part with personal data; zeros if the part was erased.
    pub salts: Vec<u8>,
    /// Commitments to erased parts, in base64, by part.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub erased_fields: Option<Json>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub fn of(event: Event, openings: &CommitmentSalts) -> Self {
        let Event {
            id,
            occurred_at,
            org,
            actor: ActorRef { kind: actor_type, id: actor_id, email: actor_email, tier },
            on_behalf_of,
            action,
            outcome,
            target: Target { kind: target_type, id: target_id, label: target_label },
            summary,
            reason,
            ticket_ref,
            metadata,
            source: Source { ip, user_agent, session_id, impersonation_id, request_id },
            schema_version,
            // Assigned by the sequencer and stored in `audit_leaf`.
            log: _,
            // Stored with their commitments, from the salts.
            erased_fields: _,
        } = event;
        let (org_id, org_slug) = org.map(|OrgRef { id, slug }| (id.uuid(), slug)).unzip();
        let (on_behalf_of_id, on_behalf_of_email) =
            on_behalf_of.map(|OnBehalfOf { id, email }| (id.uuid(), email)).unzip();
        let on_behalf_of_email = on_behalf_of_email.flatten();
        Self {
            id: id.uuid(),
            occurred_at,
            org_id,
            org_slug,
            actor_type: actor_type.name().to_owned(),
            actor_id: actor_id.map(Id::uuid),
            actor_email,
            actor_tier: tier.map(|tier| tier.name().to_owned()),
            on_behalf_of_id,
            on_behalf_of_email,
            action: action.name().to_owned(),
            outcome: outcome.name().to_owned(),
            target_type: target_type.name().to_owned(),
            target_id,
            target_label,
            summary,
            reason,
            ticket_ref,
            metadata: Value::Object(metadata),
            ip: ip.map(|ip| ip.to_string()),
            user_agent,
            session_id: session_id.map(Id::uuid),
            impersonation_id: impersonation_id.map(Id::uuid),
            request_id,
            schema_version,
            salts: openings.salts().to_vec(),
            erased_fields: erased_json(openings.erased_fields()),
        }
    }

    /// Salts that open the event's commitments, with the commitments to erased parts.
    pub fn openings(&self) -> Result<CommitmentSalts, StoreError> {
        let damaged = || StoreError::Corrupt(format!("salts of event {}", self.id));
        let erased_fields = match &self.erased_fields {
            Some(Value::Object(commitments)) => commitments
                .iter()
                .map(|(part, hash)| Some((Part::parse(part)?, Hash::from_base64(hash.as_str()?)?)))
                .collect::<Option<BTreeMap<_, _>>>()
                .ok_or_else(damaged)?,
            Some(_) => return Err(damaged()),
            None => BTreeMap::new(),
        };
        CommitmentSalts::kept(&self.salts, erased_fields).ok_or_else(damaged)
    }
}

fn erased_json(erased_fields: &BTreeMap<Part, Hash>) -> Option<Json> {
    let commitments: Map<String, Value> = erased_fields
        .iter()
        .map(|(part, hash)| (part.name().to_owned(), hash.to_base64().into()))
        .collect();
    (!commitments.is_empty()).then_some(Value::Object(commitments))
}

impl TryFrom<Model> for Event {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self, StoreError> {
        let erased_fields = model.openings()?.erased_fields().keys().copied().collect();
        let Model {
            id,
            occurred_at,
            org_id,
            org_slug,
            actor_type,
            actor_id,
            actor_email,
            actor_tier,
            on_behalf_of_id,
            on_behalf_of_email,
            action,
            outcome,
            target_type,
            target_id,
            target_label,
            summary,
            reason,
            ticket_ref,
            metadata,
            ip,
            user_agent,
            session_id,
            impersonation_id,
            request_id,
            schema_version,
            salts: _,
            erased_fields: _,
        } = model;
        let metadata = match metadata {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Ok(Self {
            id: Id::new(id),
            occurred_at,
            org: org_id.zip(org_slug).map(|(id, slug)| OrgRef { id: Id::new(id), slug }),
            actor: ActorRef {
                kind: ActorType::parse(&actor_type)
                    .ok_or_else(|| unknown("actor type", &actor_type))?,
                id: actor_id.map(Id::new),
                email: actor_email,
                tier: actor_tier
                    .map(|tier| Tier::parse(&tier).ok_or_else(|| unknown("tier", &tier)))
                    .transpose()?,
            },
            on_behalf_of: on_behalf_of_id
                .map(|id| OnBehalfOf { id: Id::new(id), email: on_behalf_of_email }),
            action: Action::parse(&action).ok_or_else(|| unknown("action", &action))?,
            outcome: Outcome::parse(&outcome).ok_or_else(|| unknown("outcome", &outcome))?,
            target: Target {
                kind: TargetType::parse(&target_type)
                    .ok_or_else(|| unknown("target type", &target_type))?,
                id: target_id,
                label: target_label,
            },
            summary,
            reason,
            ticket_ref,
            metadata,
            source: Source {
                ip: ip.map(|ip| ip.parse().map_err(|_| unknown("IP address", &ip))).transpose()?,
                user_agent,
                session_id: session_id.map(Id::new),
                impersonation_id: impersonation_id.map(Id::new),
                request_id,
            },
            schema_version,
            log: None,
            erased_fields,
        })
    }
}
