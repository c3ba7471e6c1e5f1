//! Notifications of new log entries: at once within the process, and between processes through
//! PostgreSQL's LISTEN and NOTIFY. Delivery is not guaranteed, so subscribers also poll.

use std::sync::Arc;

use tokio::sync::broadcast::{
    Receiver, Sender,
    error::{RecvError, TryRecvError},
};
use uuid::Uuid;

use postern_domain::id::OrgId;

use crate::entity::org_or_nil;

/// Notifications buffered per subscription. A subscriber that falls further behind is notified of
/// possible changes.
const NOTICES: usize = 64;

/// Logs that have new entries; none if any log may have some.
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
        // Sending fails if there are no subscribers.
        drop(self.0.send(Some(logs.into())));
    }

    /// Notifies the subscribers of all logs.
    pub fn notify_all(&self) {
        drop(self.0.send(None));
    }

    /// Subscribes to new entries of one log from now on.
    pub fn subscribe(&self, org: Option<OrgId>) -> LogSubscription {
        LogSubscription { log: org_or_nil(org), notices: self.0.subscribe() }
    }
}

/// A subscription to new entries of one log.
pub struct LogSubscription {
    log: Uuid,
    notices: Receiver<Notification>,
}

impl LogSubscription {
    /// Returns when the log has, or may have, new entries.
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
        // The subscriber's next read covers all buffered notifications.
        while !matches!(self.notices.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
    }
}
