//! Effects of a call besides its own page: pages that end without a request, and notices
//! about hosts.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant, SystemTime};

use crate::clock::rfc3339;
use crate::event::Event;
use crate::foreign::Foreign;
use crate::model::{Attempt, Job, Outcome, Settled};
use crate::queue::host::pace::Limits;
use crate::queue::host::site_policy::SitePolicy;

/// The effects of a call besides its own page.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Pages that ended without a request.
    pub(crate) ended: Vec<(Job, Outcome)>,
    /// Notices for the user.
    pub(crate) notices: Vec<Notice>,
}

/// A fact about a host that users should know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Notice {
    /// The policy of its site is known and enforced.
    KnownSite {
        /// The first host of the site in this run.
        host: String,
        /// The policy.
        policy: &'static SitePolicy,
        /// The limits in force, the user's own included.
        limits: Limits,
        /// The number of workers that the user asked for.
        workers: Option<NonZeroUsize>,
    },
    /// Its robots.txt asks for a pause between requests.
    CrawlDelay {
        /// The host.
        host: String,
        /// The pause.
        delay: Duration,
    },
    /// It is parked: it gets no request until the pause is over.
    Parked {
        /// The host.
        host: String,
        /// The pause.
        pause: Duration,
        /// The end of the pause.
        until: Instant,
        /// The cause: `429, Retry-After 60`.
        why: Foreign,
    },
    /// It asks for a longer pause than a run waits.
    Away {
        /// The host.
        host: String,
        /// The pause.
        pause: Duration,
        /// The earliest time for another run.
        back: SystemTime,
        /// The cause.
        why: Foreign,
    },
}

impl Effects {
    /// Whether there is no effect.
    pub(crate) const fn is_empty(&self) -> bool {
        self.ended.is_empty() && self.notices.is_empty()
    }

    /// Turns the effects into the events that report them.
    pub(crate) fn into_events(self) -> impl Iterator<Item = Event> {
        let notices = self.notices.into_iter().map(Notice::into_event);
        notices.chain(self.ended.into_iter().map(|(job, outcome)| unasked(job, outcome)))
    }
}

/// Returns the event of a page that ended without a request.
pub(crate) fn unasked(job: Job, outcome: Outcome) -> Event {
    Event::Settled(Box::new(Settled {
        job,
        attempt: Attempt::without_answer(outcome),
        worker: None,
        started: None,
        total: Duration::ZERO,
    }))
}

impl Notice {
    /// Whether the notice deserves a line of its own; a pause of less than a second does not.
    pub(crate) fn is_noteworthy(&self) -> bool {
        !matches!(self, Self::Parked { pause, .. } if pause.as_secs() == 0)
    }

    /// Turns the notice into the event that reports it.
    pub(crate) fn into_event(self) -> Event {
        match self {
            Self::Parked { host, pause, until, why } => {
                let from = until.checked_sub(pause).unwrap_or(until);
                Event::Parked { host, from, until, why }
            }
            Self::KnownSite { .. } | Self::CrawlDelay { .. } => Event::Note(self.text().into()),
            Self::Away { .. } => Event::Warning(self.text().into()),
        }
    }

    /// Words the notice in one line.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::KnownSite { host, limits, workers, .. } => {
                let open = limits.open.map(|open| format!("at most {open} open"));
                let rate = limits.rate.map(|rate| format!("{rate}/s"));
                let limited: Vec<_> = open.into_iter().chain(rate).collect();
                let mut text = format!("{host}: {} by its policy", limited.join(" and "));
                let is_useless = |workers: &NonZeroUsize| {
                    limits.open.is_some_and(|open| workers.get() > open as usize)
                };
                if let Some(workers) = workers.filter(is_useless) {
                    text += &format!(
                        ", so {workers} workers gain nothing; to compare modes use --demo"
                    );
                }
                text
            }
            Self::CrawlDelay { host, delay } => {
                format!("{host}: {} s between requests by its robots.txt", delay.as_secs_f64())
            }
            Self::Parked { host, pause, why, .. } => {
                format!("{host} paused {} s ({why})", pause.as_secs_f64().ceil())
            }
            Self::Away { host, pause, back, why } => {
                let back = rfc3339(*back);
                format!(
                    "{host} asks for a pause of {} s ({why}), longer than a run waits; use --resume \
                     for its pages, not before {back}",
                    pause.as_secs()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::host::site_policy;

    #[test]
    fn notices_read_so() {
        let host = || "en.wikipedia.org".to_owned();
        let policy = &site_policy::TABLE[0];
        let back = SystemTime::UNIX_EPOCH + Duration::from_mins(29_921_530);
        for (notice, text) in [
            (
                Notice::KnownSite {
                    host: host(),
                    policy,
                    limits: policy.limits,
                    workers: NonZeroUsize::new(9),
                },
                "en.wikipedia.org: at most 9 open and 19/s by its policy",
            ),
            (
                Notice::KnownSite {
                    host: host(),
                    policy,
                    limits: policy.limits,
                    workers: NonZeroUsize::new(32),
                },
                "en.wikipedia.org: at most 9 open and 19/s by its policy, so 32 workers gain \
                 nothing; to compare modes use --demo",
            ),
            (
                Notice::CrawlDelay { host: host(), delay: Duration::from_millis(1_500) },
                "en.wikipedia.org: 1.5 s between requests by its robots.txt",
            ),
            (
                Notice::Away {
                    host: host(),
                    pause: Duration::from_hours(2),
                    back,
                    why: "429, Retry-After 7200".into(),
                },
                "en.wikipedia.org asks for a pause of 7200 s (429, Retry-After 7200), longer than a \
                 run waits; use --resume for its pages, not before 2026-11-21T20:10:00Z",
            ),
        ] {
            assert_eq!(notice.text(), text);
        }
    }
}
