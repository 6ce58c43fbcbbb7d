//! Names of pages in an output: pure, from URLs and from what earlier runs recorded.

mod allocator;
pub(in crate::save) mod default_name;
mod page_url;
pub mod reserved;

pub(in crate::save) use allocator::{Form, lower};
pub use allocator::{NameAllocator, PreviousName};
pub use default_name::Layout;
pub use page_url::PageUrl;
