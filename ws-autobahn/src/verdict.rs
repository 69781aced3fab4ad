//! How a verdict is found.

use crate::case::{Behavior, Case, CloseBehavior, Received};
use crate::peer::Closing;

/// What was seen in a case.
#[derive(Debug)]
pub(crate) struct Observed<'a> {
    /// The opening handshake was completed.
    pub(crate) was_open: bool,
    /// The suite was the server.
    pub(crate) is_server: bool,
    pub(crate) closing: &'a Closing,
    pub(crate) received: &'a [Received],
    /// What the script itself found, where it compares no lists of events.
    pub(crate) found: Option<(Behavior, String)>,
}

/// The verdict, with a sentence to each half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What the endpoint did.
    pub behavior: Behavior,
    /// How the connection ended.
    pub behavior_close: CloseBehavior,
    /// Why `behavior` is what it is.
    pub result: String,
    /// Why `behavior_close` is what it is.
    pub result_close: String,
}

/// The verdict on a case.
pub(crate) fn verdict(case: &Case, observed: Observed<'_>) -> Verdict {
    let Observed { was_open, is_server, closing, received, found } = observed;
    let (mut behavior, mut result) =
        found.unwrap_or_else(|| (Behavior::Failed, "What was received is none of what may be.".to_owned()));
    let implemented = behavior != Behavior::Unimplemented;
    // Where the connection was never open, nothing was played that could match.
    let compared = was_open && implemented;
    if let Some((matched, _)) = case.expected.iter().find(|(_, events)| compared && events == received) {
        behavior = *matched;
        result = match matched {
            Behavior::NonStrict => {
                "What was received is allowed, but not what a strict reading asks for.".to_owned()
            }
            _ => "What was received is what was wanted.".to_owned(),
        };
    }
    let (mut behavior_close, mut result_close) = close_verdict(case, was_open, is_server, closing);
    if case.opening.probe.is_some() && !was_open && behavior == Behavior::Ok {
        (behavior_close, result_close) =
            (CloseBehavior::Ok, "The connection was not opened, as wanted.".to_owned());
    }
    if case.rules.needs_deflate && !implemented {
        (behavior_close, result_close) =
            (CloseBehavior::Ok, "The suite closed, because there was nothing to test.".to_owned());
    }
    let wrong_end = was_open && case.close.closed_by_me != closing.closed_by_me;
    if case.close.wrong_end_is_fatal && wrong_end && implemented {
        behavior = Behavior::Failed;
        "The endpoint did not close the connection, so it has not seen the fault.".clone_into(&mut result);
    }
    if case.rules.wrong_code_fails && behavior_close == CloseBehavior::WrongCode {
        behavior = Behavior::Failed;
        result.clone_from(&result_close);
    }
    if case.rules.must_open && !was_open {
        behavior = Behavior::Failed;
        "The connection was never open.".clone_into(&mut result);
    }
    if case.rules.informational {
        result = format!("The specification leaves this open. {result}");
        behavior = Behavior::Informational;
        behavior_close = CloseBehavior::Informational;
        result_close = format!("The specification leaves this open. {result_close}");
    }
    Verdict { behavior, behavior_close, result, result_close }
}

/// The first of these that is so.
fn close_verdict(case: &Case, was_open: bool, is_server: bool, closing: &Closing) -> (CloseBehavior, String) {
    let (close, sentence) = if !was_open {
        (CloseBehavior::Failed, "The opening handshake was never completed.".to_owned())
    } else if case.close.closed_by_me != closing.closed_by_me {
        (CloseBehavior::Failed, "The wrong end closed the connection.".to_owned())
    } else if case.close.require_clean && !closing.was_clean {
        (CloseBehavior::Unclean, "The connection ended without a whole closing handshake.".to_owned())
    } else if let Some(code) = closing.remote_code.filter(|code| !case.close.codes.contains(code)) {
        let wanted: Vec<String> = case.close.codes.iter().map(u16::to_string).collect();
        (
            CloseBehavior::WrongCode,
            format!("The close code was {code}; wanted is {}, or none.", wanted.join(" or ")),
        )
    } else if !is_server && closing.dropped_by_me {
        (
            CloseBehavior::FailedByClient,
            "The server left it to the client to close the TCP connection.".to_owned(),
        )
    } else {
        (CloseBehavior::Ok, "The connection ended as wanted.".to_owned())
    };
    (close, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseId, ExpectedClose, Rules};

    fn case(close: ExpectedClose) -> Case {
        Case::steps(CaseId::two(1, 1), []).ok([Received::text("a")]).non_strict([]).close(close)
    }

    fn closed_by_us() -> Closing {
        Closing { closed_by_me: true, was_clean: true, remote_code: Some(1000), ..Closing::default() }
    }

    fn judge(case: &Case, closing: &Closing, received: &[Received]) -> (Behavior, CloseBehavior) {
        let verdict =
            verdict(case, Observed { was_open: true, is_server: false, closing, received, found: None });
        (verdict.behavior, verdict.behavior_close)
    }

    #[test]
    fn the_list_that_equals_what_was_received_is_the_verdict() {
        let case = case(ExpectedClose::by_us(&[1000]));
        let events = [Received::text("a")];
        assert_eq!(judge(&case, &closed_by_us(), &events).0, Behavior::Ok);
        assert_eq!(judge(&case, &closed_by_us(), &[]).0, Behavior::NonStrict);
        assert_eq!(judge(&case, &closed_by_us(), &[Received::binary("a")]).0, Behavior::Failed);
        assert_eq!(
            judge(&case, &closed_by_us(), &[Received::text("a"), Received::text("a")]).0,
            Behavior::Failed
        );
    }

    #[test]
    fn the_first_thing_wrong_with_the_end_is_the_verdict_on_it() {
        let case = case(ExpectedClose::by_us(&[1000]));
        let close = |closing: &Closing| judge(&case, closing, &[]).1;
        assert_eq!(close(&closed_by_us()), CloseBehavior::Ok);
        assert_eq!(
            close(&Closing { remote_code: None, ..closed_by_us() }),
            CloseBehavior::Ok,
            "no code is no wrong code"
        );
        let dropped = Closing { dropped_by_me: true, ..closed_by_us() };
        assert_eq!(close(&dropped), CloseBehavior::FailedByClient);
        let wrong_code = Closing { remote_code: Some(1002), ..dropped };
        assert_eq!(close(&wrong_code), CloseBehavior::WrongCode);
        let unclean = Closing { was_clean: false, ..wrong_code };
        assert_eq!(close(&unclean), CloseBehavior::Unclean);
        let wrong_end = Closing { closed_by_me: false, ..unclean };
        assert_eq!(close(&wrong_end), CloseBehavior::Failed);
        let never = Observed {
            was_open: false,
            is_server: true,
            closing: &closed_by_us(),
            received: &[],
            found: None,
        };
        let never = verdict(&case, never);
        assert_eq!((never.behavior, never.behavior_close), (Behavior::Failed, CloseBehavior::Failed));
        let as_server = Closing { dropped_by_me: true, ..closed_by_us() };
        let served =
            Observed { was_open: true, is_server: true, closing: &as_server, received: &[], found: None };
        assert_eq!(verdict(&case, served).behavior_close, CloseBehavior::Ok, "the server is to close");
    }

    #[test]
    fn the_wrong_end_is_fatal_where_the_case_says_so() {
        let fatal = case(ExpectedClose::by_endpoint(1007).fatal());
        let events = [Received::text("a")];
        assert_eq!(judge(&fatal, &closed_by_us(), &events), (Behavior::Failed, CloseBehavior::Failed));
        let right = Closing { remote_code: Some(1007), ..Closing::default() };
        assert_eq!(judge(&fatal, &right, &events), (Behavior::Ok, CloseBehavior::Ok));
    }

    #[test]
    fn section_7_fails_a_wrong_code_and_three_cases_only_inform() {
        let mut case = case(ExpectedClose::by_us(&[1000]));
        let wrong = Closing { remote_code: Some(1001), ..closed_by_us() };
        let events = [Received::text("a")];
        assert_eq!(judge(&case, &wrong, &events), (Behavior::Ok, CloseBehavior::WrongCode));
        case.rules = Rules { wrong_code_fails: true, ..Rules::default() };
        assert_eq!(judge(&case, &wrong, &events), (Behavior::Failed, CloseBehavior::WrongCode));
        case.rules = Rules { informational: true, ..Rules::default() };
        assert_eq!(judge(&case, &wrong, &[]), (Behavior::Informational, CloseBehavior::Informational));
    }
}
