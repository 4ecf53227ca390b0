//! How a member stands: MX's 22 connection states, as what goes on and what is wrong. An error is final
//! only when nothing goes on any more, as MX's own widget has it.
//! <https://docs.mx.com/connections/reference/member-connection-statuses>

use super::wire::Member;
use crate::{
    error::{ErrorClass, ProviderError},
    providers::{Challenge, ItemState, Progress},
};

/// Longest state that is repeated.
const WORD_MAX: usize = 40;

/// Reads a member. `challenges` are what the bank asks at the moment.
pub(super) fn state(member: Member, challenges: Vec<Challenge>) -> ItemState {
    let busy = member.is_being_aggregated.0;
    let word = member.connection_status.as_str();
    let (progress, class) = judge(word, busy, !challenges.is_empty());
    let asks = class == Some(ErrorClass::Challenge);
    ItemState {
        institution_id: member.institution_code.0,
        fault: class.map(|class| fault(class, word, member.connection_status_message.0)),
        // It goes on when the bank gets round to it, or when the person answers.
        downloading: matches!(word, "DELAYED" | "CHALLENGED"),
        progress,
        challenges: if asks { challenges } else { Vec::new() },
        ..ItemState::default()
    }
}

/// What goes on with a member, and what is wrong if nothing does.
fn judge(word: &str, busy: bool, asks: bool) -> (Progress, Option<ErrorClass>) {
    let settled = |class| (Progress::Settled, Some(class));
    match word {
        // A wrong answer may be asked for again, while the job that asks goes on.
        "CHALLENGED" | "REJECTED" if asks => settled(ErrorClass::Challenge),
        // It was answered since, or it cannot be read.
        "CHALLENGED" => (Progress::Asking, None),
        "PENDING" => (Progress::Awaited, None),
        "CONNECTED" if busy => (Progress::Collecting, None),
        "CONNECTED" => (Progress::Settled, None),
        "CREATED" | "RECONNECTED" | "UPDATED" | "RESUMED" if !busy => (Progress::Stalled, None),
        _ if busy => (Progress::SigningIn, None),
        "PREVENTED" | "DENIED" | "IMPORTED" | "IMPAIRED" => settled(ErrorClass::Credentials),
        // Signing in anew brings new questions; LOCKED and IMPEDED want the person at the bank first.
        "REJECTED" | "EXPIRED" | "LOCKED" | "IMPEDED" | "CLOSED" | "" => {
            settled(ErrorClass::Blocked)
        }
        "DEGRADED" | "DISCONNECTED" | "DELAYED" | "FAILED" => settled(ErrorClass::Retry(None)),
        "DISCONTINUED" => settled(ErrorClass::Unsupported),
        "DISABLED" => settled(ErrorClass::Operator),
        _ => {
            tracing::warn!(
                status = shown(word),
                "MX has a connection status that is not known here"
            );
            settled(ErrorClass::Retry(None))
        }
    }
}

fn fault(class: ErrorClass, word: &str, message: Option<String>) -> ProviderError {
    let code = if word.is_empty() { "NONE" } else { word };
    ProviderError {
        class,
        code: shown(code),
        display_message: message,
        request_id: None,
        detail: "the member's connection status".to_owned(),
    }
}

fn shown(word: &str) -> String {
    word.chars().take(WORD_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::{ChallengeKind, lenient::Text, mx::wire::Flag};

    fn question() -> Challenge {
        Challenge {
            id: "CRD-1".to_owned(),
            label: "Pet?".to_owned(),
            kind: ChallengeKind::Text,
            options: Vec::new(),
            image: None,
        }
    }

    fn read(word: &str, busy: bool, asks: bool) -> ItemState {
        let member = Member {
            connection_status: Text(Some(word.to_owned()).filter(|word| !word.is_empty())),
            connection_status_message: Text(Some("Told.".to_owned())),
            is_being_aggregated: Flag(busy),
            ..Member::default()
        };
        state(member, if asks { vec![question()] } else { Vec::new() })
    }

    #[test]
    fn every_state_says_what_goes_on_and_what_is_wrong() {
        use ErrorClass::{Blocked, Credentials, Operator, Retry, Unsupported};
        use Progress::{Asking, Awaited, Collecting, Settled, SigningIn, Stalled};
        for (word, busy, progress, class) in [
            ("", false, Settled, Some(Blocked)),
            ("CREATED", true, SigningIn, None),
            ("CREATED", false, Stalled, None),
            ("PREVENTED", false, Settled, Some(Credentials)),
            ("DENIED", false, Settled, Some(Credentials)),
            ("CHALLENGED", false, Asking, None),
            ("CHALLENGED", true, Asking, None),
            ("REJECTED", false, Settled, Some(Blocked)),
            ("LOCKED", false, Settled, Some(Blocked)),
            ("CONNECTED", false, Settled, None),
            ("CONNECTED", true, Collecting, None),
            ("IMPEDED", false, Settled, Some(Blocked)),
            ("RECONNECTED", true, SigningIn, None),
            ("RECONNECTED", false, Stalled, None),
            ("DEGRADED", false, Settled, Some(Retry(None))),
            ("DISCONNECTED", false, Settled, Some(Retry(None))),
            ("DISCONTINUED", false, Settled, Some(Unsupported)),
            ("CLOSED", false, Settled, Some(Blocked)),
            ("DELAYED", false, Settled, Some(Retry(None))),
            ("DELAYED", true, SigningIn, None),
            ("FAILED", false, Settled, Some(Retry(None))),
            ("FAILED", true, SigningIn, None),
            ("UPDATED", true, SigningIn, None),
            ("DISABLED", false, Settled, Some(Operator)),
            ("IMPORTED", false, Settled, Some(Credentials)),
            ("RESUMED", true, SigningIn, None),
            ("EXPIRED", false, Settled, Some(Blocked)),
            ("IMPAIRED", false, Settled, Some(Credentials)),
            ("PENDING", false, Awaited, None),
            ("PENDING", true, Awaited, None),
            ("BRAND_NEW", false, Settled, Some(Retry(None))),
            ("BRAND_NEW", true, SigningIn, None),
        ] {
            let state = read(word, busy, false);
            assert_eq!(state.progress, progress, "{word} {busy}");
            let fault = state.fault.as_ref();
            assert_eq!(fault.map(|fault| fault.class), class, "{word} {busy}");
            let code = if word.is_empty() { "NONE" } else { word };
            assert!(fault.is_none_or(|fault| fault.code == code), "{fault:?}");
        }
    }

    #[test]
    fn what_is_asked_is_a_challenge_and_a_wrong_answer_a_failure() {
        for (word, busy, downloading) in [
            ("CHALLENGED", false, true),
            ("CHALLENGED", true, true),
            ("REJECTED", false, false),
            ("REJECTED", true, false),
        ] {
            let asked = read(word, busy, true);
            assert_eq!(asked.fault.unwrap().class, ErrorClass::Challenge);
            assert_eq!(asked.challenges, [question()]);
            assert_eq!(asked.downloading, downloading, "{word}");
        }
        assert!(read("DELAYED", false, false).downloading);
        assert!(!read("DEGRADED", false, false).downloading);
        assert!(read("CONNECTED", false, true).challenges.is_empty());
    }

    #[test]
    fn a_state_of_any_length_is_cut() {
        let fault = read(&"X".repeat(5_000), false, false).fault.unwrap();
        assert_eq!(fault.code.len(), WORD_MAX);
    }
}
