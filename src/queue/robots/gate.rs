//! The gate of the robots rules. The pages of an origin wait until the origin's robots.txt
//! has been read, once; then each page passes or ends. Pure.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use url::{Position, Url};

use crate::model::{Failure, FailureCode, Job, Key, Kind, Outcome};
use crate::queue::robots::agent::ProductToken;
use crate::queue::robots::rules::Rules;

/// What is known of the rules of all origins of a run.
#[derive(Debug)]
pub(crate) struct RobotsGate {
    is_kept: bool,
    /// Whose rules are read.
    agent: ProductToken,
    origins: HashMap<Box<str>, Origin>,
}

/// What is known of one origin's rules.
#[derive(Debug)]
enum Origin {
    /// They were asked for, and these pages wait for them.
    Asked(VecDeque<Job>),
    /// These are they.
    Known(Rules),
    /// They could not be had, and every page ends so.
    Unknown(Outcome),
}

/// What becomes of a job at the gate.
#[derive(Debug)]
pub(crate) enum Passage {
    /// It may be asked for.
    Open(Job),
    /// It waits at the gate.
    Waiting,
    /// It waits at the gate, and this must be asked for first.
    AskFirst(Job),
    /// It ends here.
    Closed(Job, Outcome),
}

impl RobotsGate {
    /// A gate that is open to all when rules are not to be kept.
    pub(crate) fn new(is_kept: bool, agent: ProductToken) -> Self {
        Self { is_kept, agent, origins: HashMap::new() }
    }

    /// Brings a job before the gate.
    pub(crate) fn pass(&mut self, job: Job) -> Passage {
        if !self.is_kept || job.kind != Kind::Page {
            return Passage::Open(job);
        }
        let url = job.target();
        match self.origins.get_mut(origin(url)) {
            None => {
                let robots = robots_job(url);
                let origin = origin(url).into();
                self.origins.insert(origin, Origin::Asked(VecDeque::from([job])));
                Passage::AskFirst(robots)
            }
            Some(Origin::Asked(held)) => {
                held.push_back(job);
                Passage::Waiting
            }
            Some(Origin::Known(rules)) => {
                let path = &url[Position::BeforePath..Position::AfterQuery];
                if rules.allows(path) {
                    Passage::Open(job)
                } else {
                    Passage::Closed(job, Outcome::Robots)
                }
            }
            Some(Origin::Unknown(outcome)) => Passage::Closed(job, outcome.clone()),
        }
    }

    /// Takes note of the rules that the job for `robots` brought, and gives back
    /// the pages that waited for them, and the delay that they ask for.
    pub(crate) fn open(&mut self, robots: &Url, body: &[u8]) -> (Vec<Job>, Option<Duration>) {
        let rules = Rules::parse(body, self.agent.as_str());
        let delay = rules.crawl_delay();
        (self.replace(robots, Origin::Known(rules)), delay)
    }

    /// Takes note that the rules could not be had, and gives back the pages that
    /// waited for them with what they end in.
    pub(crate) fn give_up(&mut self, robots: &Url, why: &Outcome) -> Vec<(Job, Outcome)> {
        let outcome = match why {
            Outcome::Failed(failure) => {
                let message = format!("robots.txt could not be had: {}", failure.message);
                Outcome::Failed(Failure::new(FailureCode::Robots, message))
            }
            _ => Outcome::Interrupted,
        };
        let held = self.replace(robots, Origin::Unknown(outcome.clone()));
        held.into_iter().map(|job| (job, outcome.clone())).collect()
    }

    fn replace(&mut self, robots: &Url, state: Origin) -> Vec<Job> {
        match self.origins.insert(origin(robots).into(), state) {
            Some(Origin::Asked(held)) => held.into(),
            _ => Vec::new(),
        }
    }

    /// Takes out the pages that wait.
    pub(crate) fn take_held(&mut self) -> Vec<Job> {
        let held = |origin: &mut Origin| match origin {
            Origin::Asked(held) => std::mem::take(held),
            _ => VecDeque::new(),
        };
        self.origins.values_mut().flat_map(held).collect()
    }
}

/// Scheme, host and port as the URL spells them: rules hold for one origin (RFC 9309, 2.3).
fn origin(url: &Url) -> &str {
    let whole = &url[..Position::BeforePath];
    // A user name is no part of an origin, and is rare: where there is one,
    // rules are read once more for it.
    whole
}

/// The job that reads the rules of `url`'s origin.
fn robots_job(url: &Url) -> Job {
    let mut robots = url.clone();
    robots.set_path("/robots.txt");
    robots.set_query(None);
    let key = Key::new("robots.txt").expect("this is a file name");
    Job { kind: Kind::Robots, ..Job::new(u64::MAX, robots, key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(seq: u64, url: &str) -> Job {
        Job::new(seq, Url::parse(url).unwrap(), Key::new(format!("{seq}.html")).unwrap())
    }

    fn gate() -> RobotsGate {
        RobotsGate::new(true, ProductToken::default())
    }

    fn seqs(jobs: &[Job]) -> Vec<u64> {
        jobs.iter().map(|job| job.seq).collect()
    }

    #[test]
    fn rules_are_asked_for_once_and_pages_wait_for_them() {
        let mut gate = gate();
        let Passage::AskFirst(robots) = gate.pass(job(0, "http://a.org/x?y")) else {
            panic!("the first page asks for the rules");
        };
        assert_eq!(robots.url.as_str(), "http://a.org/robots.txt");
        assert!(matches!(gate.pass(job(1, "http://a.org/no/1")), Passage::Waiting));
        let (held, delay) =
            gate.open(&robots.url, b"User-agent: *\nDisallow: /no/\nCrawl-delay: 2\n");
        assert_eq!((seqs(&held), delay), (vec![0, 1], Some(Duration::from_secs(2))));
        assert!(matches!(gate.pass(job(0, "http://a.org/x?y")), Passage::Open(_)));
        let closed = gate.pass(job(1, "http://a.org/no/1"));
        assert!(matches!(closed, Passage::Closed(_, Outcome::Robots)));
    }

    #[test]
    fn rules_are_read_for_the_agent_that_is_sent() {
        let body = b"User-agent: FooBot\nDisallow: /\n\nUser-agent: *\nDisallow:\n";
        for (agent, is_open) in [("FooBot/2.0", false), ("BarBot/2.0", true), ("", true)] {
            let mut gate = RobotsGate::new(true, ProductToken::of_agent(agent.as_bytes()));
            let Passage::AskFirst(robots) = gate.pass(job(0, "http://a.org/x")) else {
                panic!("the first page asks for the rules");
            };
            gate.open(&robots.url, body);
            let passage = gate.pass(job(0, "http://a.org/x"));
            assert_eq!(matches!(passage, Passage::Open(_)), is_open, "{agent}");
        }
    }

    #[test]
    fn each_origin_has_its_own_rules() {
        let mut gate = gate();
        for url in ["http://a.org/", "https://a.org/", "http://a.org:8080/", "http://b.org/"] {
            assert!(matches!(gate.pass(job(0, url)), Passage::AskFirst(_)), "{url}");
        }
        assert_eq!(gate.take_held().len(), 4);
    }

    #[test]
    fn pages_fail_when_the_rules_cannot_be_had() {
        let mut gate = gate();
        let Passage::AskFirst(robots) = gate.pass(job(0, "http://a.org/x")) else {
            panic!("the first page asks for the rules");
        };
        let failure = Failure::new(FailureCode::Http, "500 Internal Server Error");
        let held = gate.give_up(&robots.url, &Outcome::Failed(failure));
        let Outcome::Failed(failure) = &held[0].1 else { panic!("it fails") };
        assert_eq!(failure.code, FailureCode::Robots);
        assert!(failure.message.raw().contains("500 Internal Server Error"));
        assert!(matches!(gate.pass(job(1, "http://a.org/y")), Passage::Closed(..)));
    }

    #[test]
    fn a_gate_that_is_not_kept_is_open() {
        let mut gate = RobotsGate::new(false, ProductToken::default());
        assert!(matches!(gate.pass(job(0, "http://a.org/x")), Passage::Open(_)));
    }
}
