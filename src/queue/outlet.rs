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
        /// Reports notices to the user at once. Without it they are stored.
        note: Option<Note>,
        /// The effects that the observers get first.
        stored: Effects,
    },
    /// Events go to the run's observers.
    Observed(Events),
}

impl Default for Outlet {
    fn default() -> Self {
        Self::Early { note: None, stored: Effects::default() }
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
    /// Reports notices with `reporter`, until there are observers.
    pub(super) fn note_with(&mut self, reporter: Note) {
        if let Self::Early { note, .. } = self {
            *note = Some(reporter);
        }
    }

    /// Decides where `effects` go, and stores those that must wait for observers.
    pub(super) fn route(&mut self, effects: Effects) -> Option<Delivery> {
        match self {
            Self::Observed(events) => Some(Delivery::Events(events.clone(), effects)),
            Self::Early { note, stored } => {
                stored.ended.extend(effects.ended);
                let Some(note) = note else {
                    stored.notices.extend(effects.notices);
                    return None;
                };
                Some(Delivery::Notes(Arc::clone(note), effects.notices))
            }
        }
    }

    /// Sends all effects to the observers from now on, beginning with the stored ones.
    pub(super) fn observe(&mut self, events: Events) -> Option<Delivery> {
        let before = std::mem::replace(self, Self::Observed(events.clone()));
        match before {
            Self::Early { stored, .. } => Some(Delivery::Events(events, stored)),
            Self::Observed(_) => None,
        }
    }

    /// Returns the run's observers, once there are any.
    pub(super) fn observers(&self) -> Option<Events> {
        match self {
            Self::Observed(events) => Some(events.clone()),
            Self::Early { .. } => None,
        }
    }
}

impl Delivery {
    /// Sends the effects; waits while the observers' channel is full.
    pub(super) fn send(self) {
        match self {
            Self::Events(events, effects) => events.send_all(effects.into_events()),
            Self::Notes(note, notices) => {
                notices.iter().filter(|notice| notice.is_noteworthy()).for_each(|one| note(one));
            }
        }
    }
}
