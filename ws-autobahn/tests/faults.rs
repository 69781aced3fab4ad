//! Each of these faults, of a server and of a client, is found by a case.

mod faulty;
mod support;

use faulty::{Fault, Who};
use support::{not_good, run, run_client};

/// Cases beyond the original suite that are run for all faults.
const BEYOND: [&str; 4] = ["100.*", "101.*", "102.*", "104.*"];
/// Those that cost much.
const FLOODS: [&str; 1] = ["103.*"];

fn cases(fault: Fault) -> Vec<&'static str> {
    let floods = [
        Fault::None,
        Fault::FailsOnManyPings,
        Fault::AcceptsAnyLength,
        Fault::NoFragmentLimit,
        Fault::InflatesWithoutLimit,
    ];
    let floods = if floods.contains(&fault) { &FLOODS[..] } else { &[] };
    [faulty::cases(fault.area()), &BEYOND, floods].concat()
}

/// Tells which cases find a fault, and complains where that is not as it should be.
fn judge(role: &str, fault: Fault, found: &[String]) -> Option<String> {
    let is_fault = ![Fault::None, Fault::NoneCompressing].contains(&fault);
    // What is not offered is no fault; and yet nothing is left out where there is none.
    let found = found.iter().filter(|line| !is_fault || !line.contains(" UNIMPLEMENTED / "));
    let found: Vec<&str> = found.map(String::as_str).collect();
    let cases: Vec<&str> = found.iter().filter_map(|line| line.split(' ').next()).collect();
    println!("{role} {}: {}", fault.name(), cases.join(" "));
    let as_wanted = is_fault != found.is_empty();
    (!as_wanted).then(|| format!("{role} {} ({}): {}", fault.name(), fault.what(), found.join("; ")))
}

#[tokio::test(start_paused = true)]
async fn every_fault_of_a_server_is_found_and_none_where_there_is_none() {
    let mut complaints = Vec::new();
    for &fault in Fault::ALL.iter().filter(|fault| fault.who() != Who::Client) {
        let report = run(&cases(fault), true, move |stream| faulty::serve(stream, fault)).await;
        complaints.extend(judge("server", fault, &not_good(&report)));
    }
    assert_eq!(complaints, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn every_fault_of_a_client_is_found_and_none_where_there_is_none() {
    let mut complaints = Vec::new();
    for &fault in Fault::ALL.iter().filter(|fault| fault.who() != Who::Server) {
        let connect = move |stream, resource: String| async move {
            faulty::connect(stream, "localhost", &resource, fault).await;
        };
        let server = run_client(&cases(fault), true, connect).await;
        complaints.extend(judge("client", fault, &not_good(&server.report())));
    }
    assert_eq!(complaints, [""; 0]);
}
