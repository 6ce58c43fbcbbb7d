//! A self-contained page: no script, no network. The verdict comes first, then the charts,
//! then all figures.

mod axis;
mod chart;
mod markup;
mod page;
mod scaling;
mod sections;
mod timeline;

pub(super) use page::{picture, render};
