//! There is no signature but a token in the query, `?authToken=..`, which is the account's secret.

use subtle::ConstantTimeEq;

use crate::{Account, RawRequest, SignatureError, form::Form};

/// The field of the query.
pub(super) const TOKEN: &str = "authToken";

pub(super) fn verify(account: &Account, request: &RawRequest<'_>) -> Result<usize, SignatureError> {
    let wrong = SignatureError::Form {
        header: TOKEN,
        form: "one field of the query",
    };
    let query = Form::read(request.query.as_bytes()).map_err(|_| wrong)?;
    let mut tokens = query.pairs.iter().filter(|pair| pair.key == TOKEN);
    let token = tokens
        .next()
        .ok_or(SignatureError::Missing { header: TOKEN })?;
    // Which of two counts is not for us to choose.
    if tokens.next().is_some() {
        return Err(wrong);
    }
    account.fitting_secret(|secret| {
        // As it was sent, or with %xx for what a URL must not have.
        secret.ct_eq(token.raw_value.as_bytes()) | secret.ct_eq(token.value.as_bytes())
    })
}
