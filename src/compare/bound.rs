//! The least time that theory gives for a run.

/// A lower bound and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// In seconds.
    pub seconds: f64,
    /// Which of the limits it is: the largest.
    pub limit: Limit,
}

/// What limits a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Round trips: ceil(pages / workers) times the latency.
    Latency,
    /// Bytes on the wire by the bandwidth.
    Bandwidth,
    /// CPU time by the CPUs that the mode can use.
    Cpu,
}
