//! The kinds of segments.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What a segment is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The text and its suffix array: the fastest.
    #[default]
    Suffix,
    /// An FM-index, which replaces the text: the smallest.
    Fm(Profile),
    /// Another program's text and suffix array.
    #[serde(rename = "infini-gram")]
    InfiniGram,
}

/// What an FM-index is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Bits as they are, and many samples.
    #[default]
    Fast,
    /// Bits compressed, and few samples.
    Compact,
}

impl Kind {
    /// The kind of that name, with that profile if there is one.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if there is no such kind, or it has no such profile.
    pub fn parse(kind: &str, profile: Option<&str>) -> Result<Self> {
        match (kind, profile) {
            ("suffix", None) => Ok(Self::Suffix),
            ("suffix", Some(profile)) => Err(Error::InvalidInput(format!(
                "profile is {profile:?}, and an index of kind \"suffix\" has none; leave it out, or \
                 give kind=\"fm\""
            ))),
            ("fm", None | Some("fast")) => Ok(Self::Fm(Profile::Fast)),
            ("fm", Some("compact")) => Ok(Self::Fm(Profile::Compact)),
            ("fm", Some(profile)) => Err(Error::InvalidInput(format!(
                "profile is {profile:?}; give \"fast\" or \"compact\""
            ))),
            (kind, _) => {
                Err(Error::InvalidInput(format!("kind is {kind:?}; give \"suffix\" or \"fm\"")))
            }
        }
    }

    /// Whether it is what an index is made of if nothing else is said.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What segments are made of that are added to an index of this kind.
    pub(crate) fn of_new_segments(self) -> Self {
        if self == Self::InfiniGram { Self::Suffix } else { self }
    }

    /// The kind's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Suffix => "suffix",
            Self::Fm(_) => "fm",
            Self::InfiniGram => "infini-gram",
        }
    }

    /// The profile's name, if the kind has profiles.
    pub fn profile(self) -> Option<&'static str> {
        match self {
            Self::Fm(profile) => Some(profile.name()),
            Self::Suffix | Self::InfiniGram => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Profile {
    /// The profile's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Compact => "compact",
        }
    }
}
