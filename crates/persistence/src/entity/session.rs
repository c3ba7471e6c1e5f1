use postern_domain::{Id, client_network::client_network, session::Session};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub created_at: DateTimeUtc,
    pub last_used_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub client_network: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for Session {
    fn from(model: Model) -> Self {
        let Model {
            id,
            user_id,
            created_at,
            last_used_at,
            expires_at,
            ended_at,
            ip,
            user_agent,
            client_network: _,
        } = model;
        let (id, user_id) = (Id::new(id), Id::new(user_id));
        Self { id, user_id, created_at, last_used_at, expires_at, ended_at, ip, user_agent }
    }
}

impl From<Session> for Model {
    fn from(session: Session) -> Self {
        let Session {
            id: session_id,
            user_id,
            created_at,
            last_used_at,
            expires_at,
            ended_at,
            ip,
            user_agent,
        } = session;
        let (id, user_id) = (session_id.uuid(), user_id.uuid());
        let address = ip.as_ref().and_then(|ip| ip.parse().ok());
        Self {
            id,
            user_id,
            created_at,
            last_used_at,
            expires_at,
            ended_at,
            ip,
            user_agent,
            client_network: address.map(client_network),
        }
    }
}
