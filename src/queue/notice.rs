//! Effects of a call besides its own page: pages that end without a request, and what users
//! should know about a host.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant, SystemTime};

use crate::clock::rfc3339;
use crate::event::Event;
use crate::foreign::Foreign;
use crate::model::{Attempt, Job, Outcome, Settled};
use crate::queue::host::pace::Limits;
use crate::queue::host::site_policy::SitePolicy;

/// What a call has caused besides its own page.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Pages that ended without a request.
    pub(crate) ended: Vec<(Job, Outcome)>,
    /// What users should know.
    pub(crate) notices: Vec<Notice>,
}

/// Something that users should know about a host.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Notice {
    /// Its policy is known and enforced.
    KnownSite {
        /// The host that was named first.
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
    /// It is parked: it gets no request for a while.
    Parked {
        /// The host.
        host: String,
        /// How long.
        pause: Duration,
        /// The end of the pause.
        until: Instant,
        /// Why: `429, Retry-After 60`.
        why: Foreign,
    },
    /// It asks for a longer time than a run waits.
    Away {
        /// The host.
        host: String,
        /// How long.
        pause: Duration,
        /// The time to come back.
        back: SystemTime,
        /// Why.
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
    /// Whether it is worth a line of its own: short pauses come and go.
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

    /// The notice in one line.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::KnownSite { host, limits, workers, .. } => {
                let open = limits.open.map(|open| format!("at most {open} open"));
                let rate = limits.rate.map(|rate| format!("{rate}/s"));
                let kept: Vec<_> = open.into_iter().chain(rate).collect();
                let mut text = format!("{host}: {} by its policy", kept.join(" and "));
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
                    "{host} asks for {} s of patience ({why}): its pages are left for another run, \
                     not before {back}",
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
                "en.wikipedia.org asks for 7200 s of patience (429, Retry-After 7200): its pages \
                 are left for another run, not before 2026-11-21T20:10:00Z",
            ),
        ] {
            assert_eq!(notice.text(), text);
        }
    }
}
