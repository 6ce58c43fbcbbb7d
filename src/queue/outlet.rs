//! The one door by which the queue's effects leave it.
//!
//! Effects are routed under the queue's lock and [delivered](Delivery::send) after it is
//! free, because the observers' channel makes a sender wait when it is full.

use std::sync::Arc;

use super::notice::{Effects, Notice};
use crate::event::Events;

/// Reports a notice to the user at once, before there are observers.
pub(crate) type Note = Arc<dyn Fn(&Notice) + Send + Sync>;

/// Where effects go.
pub(super) enum Outlet {
    /// There are no observers yet.
    Early {
        /// Reports what the user should know at once, where there is such a way.
        note: Option<Note>,
        /// What the observers get first.
        kept: Effects,
    },
    /// Events go to the run's observers.
    Observed(Events),
}

impl Default for Outlet {
    fn default() -> Self {
        Self::Early { note: None, kept: Effects::default() }
    }
}

/// Effects on their way out.
pub(super) enum Delivery {
    /// Events for the observers.
    Events(Events, Effects),
    /// Notices for the user.
    Notes(Note, Vec<Notice>),
}

impl Outlet {
    /// Decides where `effects` go, and stores what goes nowhere yet.
    pub(super) fn route(&mut self, effects: Effects) -> Option<Delivery> {
        match self {
            Self::Observed(events) => Some(Delivery::Events(events.clone(), effects)),
            Self::Early { note, kept } => {
                kept.ended.extend(effects.ended);
                let Some(note) = note else {
                    kept.notices.extend(effects.notices);
                    return None;
                };
                Some(Delivery::Notes(Arc::clone(note), effects.notices))
            }
        }
    }

    /// Sends everything to the observers from now on, first of all what was stored.
    pub(super) fn observe(&mut self, events: Events) -> Option<Delivery> {
        let before = std::mem::replace(self, Self::Observed(events.clone()));
        match before {
            Self::Early { kept, .. } => Some(Delivery::Events(events, kept)),
            Self::Observed(_) => None,
        }
    }

    /// The run's observers, once there are any.
    pub(super) fn observers(&self) -> Option<Events> {
        match self {
            Self::Observed(events) => Some(events.clone()),
            Self::Early { .. } => None,
        }
    }
}

impl Delivery {
    /// Sends the effects; waits while the observers have too much to do.
    pub(super) fn send(self) {
        match self {
            Self::Events(events, effects) => events.send_all(effects.into_events()),
            Self::Notes(note, notices) => {
                notices.iter().filter(|notice| notice.is_noteworthy()).for_each(|one| note(one));
            }
        }
    }
}
