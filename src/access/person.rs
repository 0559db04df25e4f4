//! Persons, and whose hands a key went through: what two persons have to agree on must not be done by one with two keys.

/// A person as two are compared.
#[must_use]
pub fn same(person: &str) -> String {
    person.trim().to_lowercase()
}

/// Whose hands a key went through: the person it is for, and the issuers of its secret.
#[must_use]
pub fn hands(person: &str, issuers: &[String]) -> Vec<String> {
    let mut hands: Vec<String> = std::iter::once(person)
        .chain(issuers.iter().map(String::as_str))
        .map(same)
        .collect();
    hands.sort_unstable();
    hands.dedup();
    hands
}

/// Whether two keys are in the hands of two people: no one had a part in both. Nobody may count as his own second person
/// by making a key in another name.
#[must_use]
pub fn are_two(one: &[String], other: &[String]) -> bool {
    !one.iter().any(|person| other.contains(person))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_keys_are_two_people_unless_somebody_had_both() {
        let ann = hands("Ann ", &[]);
        assert_eq!(ann, ["ann"]);
        assert!(!are_two(&ann, &hands("ANN", &[])));
        assert!(are_two(&ann, &hands("bob", &[])));
        // Ann made it, in whatever name, or made the key that made it.
        assert!(!are_two(&ann, &hands("bob", &["ann".into()])));
        assert!(!are_two(
            &ann,
            &hands("carl", &["bob".into(), "ann".into()])
        ));
        assert!(are_two(&ann, &hands("carl", &["bob".into()])));
    }
}
