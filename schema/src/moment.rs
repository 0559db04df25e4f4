//! [`Timestamp`] as a Postgres `timestamptz`: both count microseconds, so nothing is ever rounded.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use pitboss_wallet::Timestamp;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

/// Postgres counts from 2000-01-01, a [`Timestamp`] from 1970-01-01.
const EPOCH_SHIFT_US: i64 = 946_684_800_000_000;

/// A [`Timestamp`] on its way to or from the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub Timestamp);

impl ToSql for Moment {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        // i64::MIN and i64::MAX are Postgres' infinities: the ends of the range would change their meaning.
        let micros = self.0.as_micros().saturating_sub(EPOCH_SHIFT_US);
        out.put_i64(micros.max(i64::MIN + 1));
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Moment {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let micros = i64::from_be_bytes(raw.try_into()?);
        Ok(Self(Timestamp::from_micros(
            micros.saturating_add(EPOCH_SHIFT_US),
        )))
    }

    accepts!(TIMESTAMPTZ);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_back_to_the_microsecond() {
        for micros in [0, -1, 1_700_000_000_123_456, EPOCH_SHIFT_US] {
            let moment = Moment(Timestamp::from_micros(micros));
            let mut out = BytesMut::new();
            moment.to_sql(&Type::TIMESTAMPTZ, &mut out).unwrap();
            assert_eq!(Moment::from_sql(&Type::TIMESTAMPTZ, &out).unwrap(), moment);
        }
    }
}
