//! The lane of a new player.

use pitboss_wallet::PlayerId;

/// The lane of a player among `lanes`: FNV-1a (64 bits) over the bytes of his id, its halves folded by
/// exclusive or, modulo `lanes`. The answer is kept on the player's row; it never changes for a given
/// number of lanes, in any version of this program.
#[must_use]
pub fn lane_of(player: &PlayerId, lanes: u16) -> u16 {
    let hash = player
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    let folded = (hash ^ (hash >> 32)) & 0xffff_ffff;
    u16::try_from(folded % u64::from(lanes.max(1))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(id: &str, lanes: u16) -> u16 {
        lane_of(&PlayerId::new(id).unwrap(), lanes)
    }

    #[test]
    fn the_hash_never_changes() {
        let found: Vec<u16> = ["a", "alice", "player-1", "player-2", "x@example:1.2"]
            .into_iter()
            .map(|id| lane(id, 16))
            .collect();
        assert_eq!(found, VECTORS_16);
        assert_eq!(lane("alice", 1), 0);
        assert_eq!(lane("alice", 1000), 548);
    }

    const VECTORS_16: [u16; 5] = [0, 12, 10, 7, 9];

    #[test]
    fn players_spread_over_the_lanes() {
        let mut count = [0; 16];
        for n in 0..16_000 {
            count[usize::from(lane(&format!("player-{n}"), 16))] += 1;
        }
        assert!(count.iter().all(|n| (850..1150).contains(n)), "{count:?}");
    }
}
