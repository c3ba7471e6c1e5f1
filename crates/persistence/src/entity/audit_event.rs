use std::collections::BTreeMap;

use postern_audit_log::commitment::{CommitmentSalts, PersonalField};
use postern_domain::{
    Id,
    action::Action,
    client_network::client_network,
    event::{ActorRef, ActorType, Event, EventOrg, OnBehalfOf, Source},
    event_draft::{Outcome, Target, TargetType},
    tier::Tier,
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
    /// Salts, one for each personal field; zeros if the field was erased.
    pub salts: Vec<u8>,
    /// Commitments to erased fields, in base64, by field.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub erased_fields: Option<Json>,
    /// Network of the client, for failed sign-ins only.
    pub client_network: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub fn of(event: Event, salts: &CommitmentSalts) -> Self {
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
            log: _,           // Assigned by the sequencer and stored in `audit_leaf`.
            erased_fields: _, // Stored with their commitments, from the salts.
        } = event;
        Self {
            id: id.uuid(),
            occurred_at,
            org_id: org.as_ref().map(|org| org.id.uuid()),
            org_slug: org.map(|org| org.slug),
            actor_type: actor_type.name().to_owned(),
            actor_id: actor_id.map(Id::uuid),
            actor_email,
            actor_tier: tier.map(|tier| tier.name().to_owned()),
            on_behalf_of_id: on_behalf_of.as_ref().map(|user| user.id.uuid()),
            on_behalf_of_email: on_behalf_of.and_then(|user| user.email),
            action: action.name().to_owned(),
            outcome: outcome.name().to_owned(),
            target_type: target_type.name().to_owned(),
            target_id,
            target_label,
            summary,
            reason,
            ticket_ref,
            metadata: Value::Object(metadata),
            client_network: ip.filter(|_| action == Action::AuthLoginFailed).map(client_network),
            ip: ip.map(|ip| ip.to_string()),
            user_agent,
            session_id: session_id.map(Id::uuid),
            impersonation_id: impersonation_id.map(Id::uuid),
            request_id,
            schema_version,
            salts: salts.salts().to_vec(),
            erased_fields: erased_json(salts.erased_fields()),
        }
    }

    /// Salts of the event's commitments, with the commitments to erased fields.
    pub fn salts(&self) -> Result<CommitmentSalts, StoreError> {
        let damaged = || StoreError::Corrupt(format!("salts of event {}", self.id));
        let erased_fields = match &self.erased_fields {
            Some(Value::Object(commitments)) => commitments
                .iter()
                .map(|(field, hash)| {
                    Some((PersonalField::parse(field)?, Hash::from_base64(hash.as_str()?)?))
                })
                .collect::<Option<BTreeMap<_, _>>>()
                .ok_or_else(damaged)?,
            Some(_) => return Err(damaged()),
            None => BTreeMap::new(),
        };
        CommitmentSalts::from_stored(&self.salts, erased_fields).ok_or_else(damaged)
    }
}

fn erased_json(erased_fields: &BTreeMap<PersonalField, Hash>) -> Option<Json> {
    let commitments: Map<String, Value> = erased_fields
        .iter()
        .map(|(field, hash)| (field.name().to_owned(), hash.to_base64().into()))
        .collect();
    (!commitments.is_empty()).then_some(Value::Object(commitments))
}

impl TryFrom<Model> for Event {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self, StoreError> {
        let erased_fields = model.salts()?.erased_fields().keys().copied().collect();
        #[rustfmt::skip]
        let Model {
            id, occurred_at, org_id, org_slug, actor_type, actor_id, actor_email, actor_tier,
            on_behalf_of_id, on_behalf_of_email, action, outcome, target_type, target_id,
            target_label, summary, reason, ticket_ref, metadata, ip, user_agent, session_id,
            impersonation_id, request_id, schema_version, salts: _, erased_fields: _,
            client_network: _,
        } = model;
        Ok(Self {
            id: Id::new(id),
            occurred_at,
            org: org_id.zip(org_slug).map(|(id, slug)| EventOrg { id: Id::new(id), slug }),
            actor: actor(&actor_type, actor_id, actor_email, actor_tier.as_deref())?,
            on_behalf_of: on_behalf_of(on_behalf_of_id, on_behalf_of_email),
            action: Action::parse(&action).ok_or_else(|| unknown("action", &action))?,
            outcome: Outcome::parse(&outcome).ok_or_else(|| unknown("outcome", &outcome))?,
            target: target(&target_type, target_id, target_label)?,
            summary,
            reason,
            ticket_ref,
            metadata: if let Value::Object(fields) = metadata { fields } else { Map::new() },
            source: source(ip, user_agent, session_id, impersonation_id, request_id)?,
            schema_version,
            log: None,
            erased_fields,
        })
    }
}

fn actor(
    kind: &str,
    id: Option<Uuid>,
    email: Option<String>,
    tier: Option<&str>,
) -> Result<ActorRef, StoreError> {
    Ok(ActorRef {
        kind: ActorType::parse(kind).ok_or_else(|| unknown("actor type", kind))?,
        id: id.map(Id::new),
        email,
        tier: tier
            .map(|tier| Tier::parse(tier).ok_or_else(|| unknown("tier", tier)))
            .transpose()?,
    })
}

fn on_behalf_of(id: Option<Uuid>, email: Option<String>) -> Option<OnBehalfOf> {
    id.map(|id| OnBehalfOf { id: Id::new(id), email })
}

fn target(kind: &str, id: Option<String>, label: String) -> Result<Target, StoreError> {
    let kind = TargetType::parse(kind).ok_or_else(|| unknown("target type", kind))?;
    Ok(Target { kind, id, label })
}

fn source(
    ip: Option<String>,
    user_agent: Option<String>,
    session_id: Option<Uuid>,
    impersonation_id: Option<Uuid>,
    request_id: Option<String>,
) -> Result<Source, StoreError> {
    Ok(Source {
        ip: ip.map(|ip| ip.parse().map_err(|_| unknown("IP address", &ip))).transpose()?,
        user_agent,
        session_id: session_id.map(Id::new),
        impersonation_id: impersonation_id.map(Id::new),
        request_id,
    })
}
