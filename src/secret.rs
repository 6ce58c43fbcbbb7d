//! A value that is never shown: a text that contains it shows only that it exists.

use std::fmt;

/// A value that may be a secret, such as a password or a header.
///
/// Neither [`Debug`](fmt::Debug) nor [`Display`](fmt::Display) shows any part of it, so a
/// type that contains one can be printed. Code that needs the value calls
/// [`expose`](Self::expose).
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Secret<T>(T);

/// The text that is shown instead of a secret.
pub(crate) const HIDDEN: &str = "…";

impl<T> Secret<T> {
    /// Returns the value itself. It must not be printed, logged or recorded.
    pub(crate) const fn expose(&self) -> &T {
        &self.0
    }

    /// Returns the value itself for changing or moving it.
    pub(crate) const fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_secret_is_shown() {
        let secret = Secret::from("me:password".to_owned());
        assert_eq!(secret.expose(), "me:password");
        let texts = [format!("{secret}"), format!("{secret:?}"), format!("{:#?}", Some(&secret))];
        assert!(
            texts.iter().all(|text| text.contains(HIDDEN) && !text.contains("password")),
            "{texts:?}"
        );
    }
}
