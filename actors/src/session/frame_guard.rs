//! Refuses a frame by its header, before the library makes room for it.
//!
//! The library checks a frame's length only when all of it has arrived: with a limit of 16 KiB, a client that
//! declared 1 GiB and began to send it grew the server by 200 MiB. This adapter sits in front of it, reads
//! every header as it passes by, and ends the stream at the first one that declares too much.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;

const FIN: u8 = 0x80;
const OPCODE: u8 = 0x0f;
const CONTROL: u8 = 0x08;
const CONTINUATION: u8 = 0x00;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
const MASK_BYTES: usize = 4;
const MAX_HEADER_BYTES: usize = 14;

/// How the incoming half of the connection ended, when it did not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A frame or a fragmented message declares more than the limit.
    TooLarge,
    /// The connection broke.
    Lost,
}

/// Told by the guard, read by the session: the library turns every error into the same text.
pub(super) type FaultCell = Rc<Cell<Option<Fault>>>;

/// The stream of a connection's bytes, up to the first frame that is too large.
pub(super) struct FrameGuard<S> {
    stream: S,
    headers: Headers,
    fault: FaultCell,
}

impl<S> FrameGuard<S> {
    pub(super) fn new(stream: S, max_frame_bytes: usize) -> (Self, FaultCell) {
        let fault = FaultCell::default();
        let guard = Self {
            stream,
            headers: Headers::new(max_frame_bytes),
            fault: fault.clone(),
        };
        (guard, fault)
    }
}

impl<S> Stream for FrameGuard<S>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.fault.get().is_some() {
            return Poll::Ready(None);
        }
        let item = std::task::ready!(Pin::new(&mut this.stream).poll_next(cx));
        Poll::Ready(match item {
            Some(Ok(chunk)) => match this.headers.pass(&chunk) {
                Ok(()) => Some(Ok(chunk)),
                Err(TooLarge) => {
                    this.fault.set(Some(Fault::TooLarge));
                    Some(Err(PayloadError::Overflow))
                }
            },
            Some(Err(error)) => {
                this.fault.set(Some(Fault::Lost));
                Some(Err(error))
            }
            None => None,
        })
    }
}

/// A frame, or the frames of one message, declare more than the limit.
#[derive(Debug, PartialEq, Eq)]
struct TooLarge;

/// Follows frame headers through any split of the bytes. Everything else about a frame (masking, opcodes,
/// order) is the library's to check.
struct Headers {
    max_bytes: u64,
    /// The header that is being read, and how much of it is here.
    header: [u8; MAX_HEADER_BYTES],
    header_bytes: usize,
    /// What is still to come of the current frame's payload.
    payload_left: u64,
    /// The sum of the current message's frames so far.
    message_bytes: u64,
}

impl Headers {
    fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes: u64::try_from(max_bytes).unwrap_or(u64::MAX),
            header: [0; MAX_HEADER_BYTES],
            header_bytes: 0,
            payload_left: 0,
            message_bytes: 0,
        }
    }

    fn pass(&mut self, mut bytes: &[u8]) -> Result<(), TooLarge> {
        while !bytes.is_empty() {
            if self.payload_left > 0 {
                let skipped = usize::try_from(self.payload_left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                self.payload_left -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.header[self.header_bytes] = bytes[0];
            self.header_bytes += 1;
            bytes = &bytes[1..];
            let Some((declared, length_end)) = self.declared() else {
                continue;
            };
            if self.header_bytes == length_end {
                self.check(declared)?;
            }
            let mask_bytes = if self.header[1] & MASKED == 0 {
                0
            } else {
                MASK_BYTES
            };
            if self.header_bytes == length_end + mask_bytes {
                self.header_bytes = 0;
                self.payload_left = declared;
            }
        }
        Ok(())
    }

    /// The payload's length and where in the header it ends, once enough of the header is here.
    fn declared(&self) -> Option<(u64, usize)> {
        if self.header_bytes < 2 {
            return None;
        }
        let short = self.header[1] & LENGTH;
        let length_end = match short {
            126 => 4,
            127 => 10,
            _ => return Some((u64::from(short), 2)),
        };
        (self.header_bytes >= length_end).then(|| {
            let declared = self.header[2..length_end]
                .iter()
                .fold(0, |length, byte| length << 8 | u64::from(*byte));
            (declared, length_end)
        })
    }

    /// Called once per frame, when its length is known.
    fn check(&mut self, declared: u64) -> Result<(), TooLarge> {
        let first = self.header[0];
        let whole = if first & CONTROL != 0 {
            // A control frame may come between the frames of a message and is no part of it.
            declared
        } else {
            let before = if first & OPCODE == CONTINUATION {
                self.message_bytes
            } else {
                0
            };
            let sum = before.saturating_add(declared);
            self.message_bytes = if first & FIN == 0 { sum } else { 0 };
            sum
        };
        if whole > self.max_bytes {
            return Err(TooLarge);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt, stream};
    use proptest::prelude::*;

    use super::*;

    const MAX: usize = 4096;

    /// A client's frame: first byte, declared length in its shortest form, mask, payload.
    fn frame(first: u8, payload_bytes: usize) -> Vec<u8> {
        let mut bytes = header(first, payload_bytes as u64);
        bytes.extend(std::iter::repeat_n(0xff, payload_bytes));
        bytes
    }

    fn header(first: u8, declared: u64) -> Vec<u8> {
        let mut bytes = vec![first];
        if declared < 126 {
            bytes.push(MASKED | declared as u8);
        } else if let Ok(short) = u16::try_from(declared) {
            bytes.push(MASKED | 126);
            bytes.extend(short.to_be_bytes());
        } else {
            bytes.push(MASKED | 127);
            bytes.extend(declared.to_be_bytes());
        }
        bytes.extend([1, 2, 3, 4]);
        bytes
    }

    fn pass(bytes: &[u8]) -> Result<(), TooLarge> {
        Headers::new(MAX).pass(bytes)
    }

    #[test]
    fn a_frame_at_the_limit_passes_and_one_byte_more_does_not() {
        assert_eq!(pass(&frame(0x81, MAX)), Ok(()));
        assert_eq!(pass(&header(0x81, MAX as u64 + 1)), Err(TooLarge));
    }

    #[test]
    fn a_header_is_refused_before_any_byte_of_its_payload_or_mask() {
        for declared in [1 << 16, 1 << 30, u64::MAX >> 1, u64::MAX] {
            assert_eq!(pass(&header(0x82, declared)[..10]), Err(TooLarge));
        }
    }

    #[test]
    fn fragments_are_summed_and_control_frames_between_them_are_not() {
        let half = MAX / 2;
        let mut fits = frame(0x01, half);
        fits.extend(frame(0x89, 125));
        fits.extend(frame(0x80, half));
        fits.extend(frame(0x81, MAX));
        assert_eq!(pass(&fits), Ok(()));

        let mut endless = frame(0x01, half);
        endless.extend(frame(0x00, half));
        assert_eq!(pass(&endless), Ok(()));
        endless.extend(header(0x00, 1));
        assert_eq!(pass(&endless), Err(TooLarge));
    }

    #[test]
    fn a_declared_length_is_read_in_each_of_its_three_forms() {
        let fits = |declared: u64| declared <= MAX as u64;
        for declared in [
            0,
            125,
            126,
            127,
            4096,
            4097,
            65_535,
            65_536,
            1 << 31,
            1 << 63,
            u64::MAX,
        ] {
            let verdict = pass(&header(0x82, declared)).is_ok();
            assert_eq!(verdict, fits(declared), "{declared}");
            // Longer than it need be, and without a mask: for the library to refuse, here read alike.
            for mask in [0, MASKED] {
                let long = [&[0x82, mask | 127][..], &declared.to_be_bytes()].concat();
                assert_eq!(pass(&long).is_ok(), fits(declared), "{declared}");
                if let Ok(declared) = u16::try_from(declared) {
                    let middle = [&[0x82, mask | 126][..], &declared.to_be_bytes()].concat();
                    assert_eq!(pass(&middle).is_ok(), fits(declared.into()), "{declared}");
                }
            }
        }
    }

    #[test]
    fn frames_that_the_library_refuses_hide_none_that_is_too_large() {
        let large = header(0x82, MAX as u64 + 1);
        let unmasked = [&[0x81, 3][..], b"abc"].concat();
        for odd in [
            unmasked,
            // Reserved bits, an opcode that nobody knows, a ping in fragments and one of 200 bytes.
            frame(0xf1, 9),
            frame(0x83, 9),
            frame(0x09, 9),
            frame(0x89, 200),
            // The rest of a message that never began.
            frame(0x80, 9),
        ] {
            assert_eq!(pass(&odd), Ok(()));
            assert_eq!(pass(&[&odd[..], &large].concat()), Err(TooLarge));
        }
    }

    #[test]
    fn fragments_without_an_end_are_ended_by_their_sum() {
        let mut headers = Headers::new(MAX);
        assert_eq!(headers.pass(&frame(0x01, 0)), Ok(()));
        let passed = (0..10 * MAX).take_while(|_| headers.pass(&frame(0x00, 1)).is_ok());
        assert_eq!(passed.count(), MAX);
    }

    #[test]
    fn nothing_passes_after_a_fault() {
        let chunks = vec![
            Ok(Bytes::from(frame(0x81, 5))),
            Ok(Bytes::from(header(0x81, 1 << 30))),
            Ok(Bytes::from(frame(0x81, 5))),
        ];
        let (guard, fault) = FrameGuard::new(stream::iter(chunks), MAX);
        let seen: Vec<_> = guard.collect::<Vec<_>>().now_or_never().unwrap();
        assert_eq!(seen.len(), 2);
        assert!(seen[0].is_ok() && seen[1].is_err());
        assert_eq!(fault.get(), Some(Fault::TooLarge));
    }

    #[test]
    fn a_broken_connection_is_told_from_a_large_frame() {
        let chunks = vec![Err(PayloadError::Incomplete(None))];
        let (guard, fault) = FrameGuard::new(stream::iter(chunks), MAX);
        let seen: Vec<_> = guard.collect::<Vec<_>>().now_or_never().unwrap();
        assert!(seen[0].is_err());
        assert_eq!(fault.get(), Some(Fault::Lost));
    }

    /// The same verdict, from whole frames instead of bytes.
    fn model(frames: &[(u8, usize)]) -> bool {
        let mut message = 0;
        frames.iter().all(|&(first, length)| {
            if first & CONTROL != 0 {
                return length <= MAX;
            }
            let sum = length + if first & OPCODE == 0 { message } else { 0 };
            message = if first & FIN == 0 { sum } else { 0 };
            sum <= MAX
        })
    }

    fn any_frame() -> impl Strategy<Value = (u8, usize)> {
        let first = (0u8..=0x0a, any::<bool>())
            .prop_map(|(opcode, fin)| opcode | if fin { FIN } else { 0 });
        let length = prop_oneof![
            Just(0usize),
            1usize..130,
            Just(MAX / 2),
            MAX - 1..MAX + 2,
            65_530usize..65_540,
        ];
        (first, length)
    }

    /// The first bytes of a frame: any first byte, any declared length in any form, masked or not.
    fn any_header() -> impl Strategy<Value = Vec<u8>> {
        let length = prop_oneof![
            (0u8..126).prop_map(|length| vec![length]),
            any::<u16>().prop_map(|length| [&[126][..], &length.to_be_bytes()].concat()),
            any::<u64>().prop_map(|length| [&[127][..], &length.to_be_bytes()].concat()),
            (0u64..5_000).prop_map(|length| [&[127][..], &length.to_be_bytes()].concat()),
        ];
        (any::<u8>(), length, any::<bool>()).prop_map(|(first, mut length, masked)| {
            length[0] |= if masked { MASKED } else { 0 };
            [&[first][..], &length].concat()
        })
    }

    proptest! {
        #[test]
        fn the_verdict_does_not_depend_on_how_the_bytes_are_split(
            frames in prop::collection::vec(any_frame(), 1..8),
            cuts in prop::collection::vec(1usize..700, 1..40),
        ) {
            let bytes: Vec<u8> =
                frames.iter().flat_map(|&(first, length)| frame(first, length)).collect();
            let mut headers = Headers::new(MAX);
            let mut rest = &bytes[..];
            let mut verdict = Ok(());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() || verdict.is_err() {
                    break;
                }
                let (chunk, later) = rest.split_at((*cut).min(rest.len()));
                verdict = headers.pass(chunk);
                rest = later;
            }
            prop_assert_eq!(verdict.is_ok(), model(&frames));
            prop_assert_eq!(pass(&bytes).is_ok(), model(&frames));
        }

        #[test]
        fn any_bytes_get_the_same_verdict_at_the_same_byte_however_they_are_cut(
            lengths in prop::collection::vec(any_header(), 0..12),
            noise in prop::collection::vec(any::<u8>(), 0..600),
            cuts in prop::collection::vec(1usize..40, 1..40),
        ) {
            let bytes: Vec<u8> = lengths.into_iter().flatten().chain(noise).collect();
            let fails_at = |cuts: &[usize]| {
                let mut headers = Headers::new(MAX);
                let mut passed = 0;
                for cut in cuts.iter().cycle() {
                    let chunk = &bytes[passed..bytes.len().min(passed + cut)];
                    if chunk.is_empty() {
                        return None;
                    }
                    if headers.pass(chunk).is_err() {
                        return Some(passed..passed + chunk.len());
                    }
                    passed += chunk.len();
                }
                None
            };
            let at = fails_at(&[1]);
            prop_assert_eq!(pass(&bytes).is_err(), at.is_some());
            match (fails_at(&cuts), at) {
                (Some(chunk), Some(at)) => prop_assert!(chunk.contains(&at.start)),
                (chunk, at) => prop_assert_eq!(chunk, at),
            }
        }
    }
}
