//! Answers that take their time: what is sent piece by piece ends with the key that it was asked for by.

use std::{
    error::Error,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::ServiceResponse,
    web::Bytes,
};

use super::auth::Operator;

/// Said by an answer that looks after this itself, to end in good form.
pub struct EndsByItself;

/// The answer, if it is sent piece by piece, broken off as soon as the operator's key opens its route no longer. Around
/// all routes, so that none has to remember it.
pub fn until_key_ends(operator: Operator, answer: ServiceResponse) -> ServiceResponse {
    let is_whole = answer.response().body().size() != BodySize::Stream;
    if is_whole || answer.response().extensions().contains::<EndsByItself>() {
        return answer;
    }
    answer.map_body(|_, body| {
        BoxBody::new(UntilKeyEnds {
            body,
            ended: Box::pin(async move { operator.ended().await }),
        })
    })
}

struct UntilKeyEnds {
    body: BoxBody,
    ended: Pin<Box<dyn Future<Output = ()>>>,
}

impl MessageBody for UntilKeyEnds {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        // First: of what is ready, nothing goes to somebody who may not have it any more.
        if this.ended.as_mut().poll(context).is_ready() {
            metrics::counter!("pitboss_keys_answers_ended_total").increment(1);
            let error = io::Error::other("the key ended");
            return Poll::Ready(Some(Err(error.into())));
        }
        Pin::new(&mut this.body).poll_next(context)
    }
}
