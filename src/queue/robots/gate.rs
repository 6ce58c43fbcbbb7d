//! The gate of the robots rules. The pages of an origin wait until the origin's robots.txt
//! has been read, once; then each page passes or ends. Pure.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use url::{Position, Url};

use crate::model::{Failure, FailureCode, Job, Key, Kind, Outcome};
use crate::queue::robots::agent::ProductToken;
use crate::queue::robots::rules::Rules;

/// The robots rules of all origins of a run, as far as they are known.
#[derive(Debug)]
pub(crate) struct RobotsGate {
    /// Whether the run obeys robots rules. Otherwise the gate is open to all.
    obeys_robots: bool,
    /// The agent whose rules are read.
    agent: ProductToken,
    origins: HashMap<Box<str>, OriginRules>,
}

/// The rules of one origin, as far as they are known.
#[derive(Debug)]
enum OriginRules {
    /// The robots.txt was requested, and these pages wait for it.
    Requested(VecDeque<Job>),
    /// The robots.txt was read.
    Known(Rules),
    /// The robots.txt could not be fetched, and every page ends with this outcome.
    Unknown(Outcome),
}

/// The decision on a job at the gate.
#[derive(Debug)]
pub(crate) enum Passage {
    /// The job may be requested.
    Open(Job),
    /// The job waits at the gate.
    Waiting,
    /// The job waits at the gate, and this job for the robots.txt must be requested first.
    RulesFirst(Job),
    /// The job ends.
    Closed(Job, Outcome),
}

impl RobotsGate {
    /// Creates a gate for `agent`, which is open to all unless the run obeys robots rules.
    pub(crate) fn new(obeys_robots: bool, agent: ProductToken) -> Self {
        Self { obeys_robots, agent, origins: HashMap::new() }
    }

    /// Decides whether a job passes the gate.
    pub(crate) fn pass(&mut self, job: Job) -> Passage {
        if !self.obeys_robots || job.kind != Kind::Page {
            return Passage::Open(job);
        }
        let url = job.target();
        match self.origins.get_mut(origin(url)) {
            None => {
                let robots = robots_job(url);
                let origin = origin(url).into();
                self.origins.insert(origin, OriginRules::Requested(VecDeque::from([job])));
                Passage::RulesFirst(robots)
            }
            Some(OriginRules::Requested(waiting)) => {
                waiting.push_back(job);
                Passage::Waiting
            }
            Some(OriginRules::Known(rules)) => {
                let path = &url[Position::BeforePath..Position::AfterQuery];
                if rules.allows(path) {
                    Passage::Open(job)
                } else {
                    Passage::Closed(job, Outcome::Robots)
                }
            }
            Some(OriginRules::Unknown(outcome)) => Passage::Closed(job, outcome.clone()),
        }
    }

    /// Reads the `body` of the robots.txt at `robots`. Returns the pages that waited for it,
    /// and the crawl delay that it asks for.
    pub(crate) fn open(&mut self, robots: &Url, body: &[u8]) -> (Vec<Job>, Option<Duration>) {
        let rules = Rules::parse(body, self.agent.as_str());
        let delay = rules.crawl_delay();
        (self.replace(robots, OriginRules::Known(rules)), delay)
    }

    /// Notes that the robots.txt at `robots` could not be fetched. Returns the pages that
    /// waited for it, each with its outcome.
    pub(crate) fn give_up(&mut self, robots: &Url, why: &Outcome) -> Vec<(Job, Outcome)> {
        let outcome = match why {
            Outcome::Failed(failure) => {
                let message = format!("robots.txt could not be fetched: {}", failure.message);
                Outcome::Failed(Failure::new(FailureCode::Robots, message))
            }
            _ => Outcome::Interrupted,
        };
        let waiting = self.replace(robots, OriginRules::Unknown(outcome.clone()));
        waiting.into_iter().map(|job| (job, outcome.clone())).collect()
    }

    fn replace(&mut self, robots: &Url, rules: OriginRules) -> Vec<Job> {
        match self.origins.insert(origin(robots).into(), rules) {
            Some(OriginRules::Requested(waiting)) => waiting.into(),
            _ => Vec::new(),
        }
    }

    /// Takes out the pages that wait.
    pub(crate) fn take_waiting(&mut self) -> Vec<Job> {
        let waiting = |rules: &mut OriginRules| match rules {
            OriginRules::Requested(waiting) => std::mem::take(waiting),
            _ => VecDeque::new(),
        };
        self.origins.values_mut().flat_map(waiting).collect()
    }
}

/// Returns scheme, host and port as the URL spells them. Rules apply to one origin (RFC 9309,
/// 2.3).
///
/// A user name is not a part of an origin, but it is rare. Where a URL has one, the rules are
/// read once more.
fn origin(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

/// Returns the job that fetches the robots.txt of `url`'s origin.
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
        let Passage::RulesFirst(robots) = gate.pass(job(0, "http://a.org/x?y")) else {
            panic!("the first page asks for the rules");
        };
        assert_eq!(robots.url.as_str(), "http://a.org/robots.txt");
        assert!(matches!(gate.pass(job(1, "http://a.org/no/1")), Passage::Waiting));
        let (waiting, delay) =
            gate.open(&robots.url, b"User-agent: *\nDisallow: /no/\nCrawl-delay: 2\n");
        assert_eq!((seqs(&waiting), delay), (vec![0, 1], Some(Duration::from_secs(2))));
        assert!(matches!(gate.pass(job(0, "http://a.org/x?y")), Passage::Open(_)));
        let closed = gate.pass(job(1, "http://a.org/no/1"));
        assert!(matches!(closed, Passage::Closed(_, Outcome::Robots)));
    }

    #[test]
    fn rules_are_read_for_the_agent_that_is_sent() {
        let body = b"User-agent: FooBot\nDisallow: /\n\nUser-agent: *\nDisallow:\n";
        for (agent, is_open) in [("FooBot/2.0", false), ("BarBot/2.0", true), ("", true)] {
            let mut gate = RobotsGate::new(true, ProductToken::of_agent(agent.as_bytes()));
            let Passage::RulesFirst(robots) = gate.pass(job(0, "http://a.org/x")) else {
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
            assert!(matches!(gate.pass(job(0, url)), Passage::RulesFirst(_)), "{url}");
        }
        assert_eq!(gate.take_waiting().len(), 4);
    }

    #[test]
    fn pages_fail_when_the_rules_cannot_be_had() {
        let mut gate = gate();
        let Passage::RulesFirst(robots) = gate.pass(job(0, "http://a.org/x")) else {
            panic!("the first page asks for the rules");
        };
        let failure = Failure::new(FailureCode::Http, "500 Internal Server Error");
        let ended = gate.give_up(&robots.url, &Outcome::Failed(failure));
        let Outcome::Failed(failure) = &ended[0].1 else { panic!("it fails") };
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
