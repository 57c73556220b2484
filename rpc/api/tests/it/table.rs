//! The table of methods is whole: names, parameters, errors and texts.

use std::collections::BTreeSet;

use rpc_api::terms::{TERMS, Term};
use rpc_api::{ApiError, Scope, methods};

#[test]
fn every_parameter_has_a_meaning_and_every_meaning_a_parameter() {
    let mut used = BTreeSet::new();
    for method in methods() {
        for parameter in method.parameters {
            let term = Term::of(parameter.name);
            assert!(
                term.is_some(),
                "{}: say in rpc/api/src/terms.rs what `{}` means",
                method.name,
                parameter.name
            );
            used.insert(parameter.name);
        }
    }
    let known: Vec<&str> = TERMS.iter().map(|term| term.name).collect();
    assert!(known.is_sorted(), "the terms ascend by name");
    assert_eq!(known, used.into_iter().collect::<Vec<_>>(), "a term that no method takes");
}

#[test]
fn names_differ_and_errors_ascend() {
    let mut names = BTreeSet::new();
    for method in methods() {
        let events = method.subscription.map(|events| [events.notification, events.unsubscribe]);
        for name in events.into_iter().flatten().chain([method.name]) {
            assert!(names.insert(name), "{name} stands twice in the table");
        }
        let codes: Vec<i32> = method.errors.iter().map(|error| error.code()).collect();
        assert!(codes.is_sorted_by(|one, next| one < next), "{}: {codes:?}", method.name);
    }
}

/// The errors that follow from a method's parameters are among its errors.
#[test]
fn lists_and_ids_name_the_errors_that_they_can_give() {
    for method in methods() {
        let takes = |name| method.parameters.iter().any(|parameter| parameter.name == name);
        let gives = |name| method.errors.iter().any(|error| error.name() == name);
        assert_eq!(takes("cursor"), gives("bad-cursor"), "{}", method.name);
        assert_eq!(takes("limit"), gives("limit-out-of-bounds"), "{}", method.name);
        let is_read = method.subscription.is_none();
        let may_miss = gives("not-found") && is_read;
        assert!(!may_miss || gives("node-behind"), "{}: not found, or not known", method.name);
        let ids = ["order_id", "batch_id", "account", "currency", "merchant", "user", "quote_id"];
        let has_id = ids.iter().any(|id| takes(id));
        assert!(!has_id || gives("id-malformed"), "{}", method.name);
    }
}

/// Every error of the interface stands in a row, or may come from any method.
#[test]
fn every_error_is_some_methods_own_or_may_come_from_any() {
    let any = ApiError::OF_ANY_METHOD;
    assert!(any.is_sorted_by(|one, next| one.code() < next.code()));
    for error in ApiError::ALL {
        let is_own = methods().any(|method| method.errors.contains(error));
        assert!(is_own || any.contains(error), "{} is nobody's", error.name());
    }
}

#[test]
fn texts_are_sentences_and_every_scope_has_a_method() {
    for method in methods() {
        let (name, summary) = (method.name, method.summary());
        assert!(summary.ends_with('.') && summary.len() < 250, "{name}: {summary}");
        assert!(!summary.contains("[`"), "{name}: the page cannot follow a link of Rust");
    }
    for scope in Scope::ALL {
        assert!(methods().any(|method| method.scope == *scope), "{} is nobody's", scope.name());
    }
}

/// Copies of methods' names that are kept by hand, in files that this language does not check.
#[test]
fn clients_in_other_languages_name_methods_of_the_table() {
    let files = [
        "python/sluice/rpc.py",
        "python/sluice_client.py",
        "python/example.py",
        "typescript/src/rpc.js",
        "typescript/examples/order.js",
    ];
    let before = ["call(\"", "_bytes(\"", "ask_node(at,\"", "askNode(at,\""];
    let mut seen = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(format!("../../clients/{file}")).unwrap();
        let text: String = text.split_whitespace().collect();
        for start in before {
            let calls = text.split(start).skip(1).filter_map(|rest| rest.split_once('"'));
            for (name, _) in calls {
                assert!(rpc_api::method_of(name).is_some(), "{file} calls {name}");
                seen.insert(name.to_owned());
            }
        }
    }
    assert!(seen.len() >= 7, "only {seen:?}");
}
