//! What settings say about stopping.

use super::{Settings, SettingsError, value};
use crate::Drain;
use serde::Deserialize;
use std::time::Duration;

#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DrainSettings {
    #[serde(deserialize_with = "value::duration")]
    grace: Option<Duration>,
    #[serde(deserialize_with = "value::duration")]
    spread: Option<Duration>,
    restarts: bool,
}

impl Settings {
    /// How the server is to stop: for [`ServerHandle::stop`](crate::ServerHandle::stop). Without the setting, 10 s of grace.
    pub fn drain(&self) -> Drain {
        let DrainSettings { spread, restarts, .. } = self.drain;
        let mut drain = Drain::new(self.drain.grace());
        if let Some(spread) = spread {
            drain = drain.spread(spread);
        }
        if restarts { drain.restarts() } else { drain }
    }
}

impl DrainSettings {
    fn grace(&self) -> Duration {
        self.grace.unwrap_or(GRACE)
    }

    /// Close frames that would be sent behind the end.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        let grace = self.grace();
        match self.spread {
            Some(spread) if spread > grace => Err(SettingsError::Value {
                field: "drain.spread",
                value: humantime::format_duration(spread).to_string().into(),
                advice: format!(
                    "it is longer than drain.grace, which is {}; lower it, or raise that",
                    humantime::format_duration(grace)
                )
                .into(),
            }),
            _ => Ok(()),
        }
    }
}

/// Less than what supervisors give a process to stop.
const GRACE: Duration = Duration::from_secs(10);
