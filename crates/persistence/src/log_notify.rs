//! Telling those who wait that logs have grown: within the process at once, between processes through PostgreSQL's notices where they get
//! through. Nobody may rely on it: who waits looks again after a while anyhow.

use std::sync::Arc;

use tokio::sync::broadcast::{
    Receiver, Sender,
    error::{RecvError, TryRecvError},
};
use uuid::Uuid;

use postern_domain::id::OrgId;

use crate::entity::org_or_nil;

/// So many notices wait for somebody who does not look; then they are told that they have missed some.
const NOTICES: usize = 64;

/// The logs that have grown; none for perhaps all.
type Notification = Option<Arc<[Uuid]>>;

#[derive(Clone)]
pub struct LogNotifier(Sender<Notification>);

impl Default for LogNotifier {
    fn default() -> Self {
        Self(Sender::new(NOTICES))
    }
}

impl LogNotifier {
    pub(crate) fn notify(&self, logs: &[Uuid]) {
        // Perhaps nobody waits.
        drop(self.0.send(Some(logs.into())));
    }

    /// Has everybody look.
    pub fn notify_all(&self) {
        drop(self.0.send(None));
    }

    /// From now on.
    pub fn subscribe(&self, org: Option<OrgId>) -> LogSubscription {
        LogSubscription { log: org_or_nil(org), notices: self.0.subscribe() }
    }
}

/// Somebody who waits for one log to grow.
pub struct LogSubscription {
    log: Uuid,
    notices: Receiver<Notification>,
}

impl LogSubscription {
    /// Returns when the log has grown, or may have.
    pub async fn changed(&mut self) {
        loop {
            let changed = match self.notices.recv().await {
                Ok(Some(logs)) => logs.contains(&self.log),
                Ok(None) | Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => std::future::pending().await,
            };
            if changed {
                break;
            }
        }
        // What has come meanwhile is seen by the same look.
        while !matches!(self.notices.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
    }
}
