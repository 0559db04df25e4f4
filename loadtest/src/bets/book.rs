//! Every bet that was sent and what became of it, eight bytes each: what the audit holds against the ledger.

/// What the driver knows of a bet in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// No final answer came: it may be in the ledger once, or not at all.
    Unknown,
    /// Answered as done: must be in the ledger exactly once.
    Acknowledged,
    /// Answered as refused: must not be in the ledger.
    Refused,
}

#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub player: u32,
    pub fate: Fate,
}

/// By the bet's number.
#[derive(Debug, Default)]
pub struct Book(Vec<Entry>);

impl Book {
    /// Enters a bet before its first byte is sent. `None`: the numbers have run out.
    pub fn open(&mut self, player: u32) -> Option<u32> {
        let number = u32::try_from(self.0.len()).ok()?;
        self.0.push(Entry {
            player,
            fate: Fate::Unknown,
        });
        Some(number)
    }

    pub fn settle(&mut self, number: u32, fate: Fate) {
        if let Some(entry) = self.0.get_mut(number as usize) {
            entry.fate = fate;
        }
    }

    pub fn get(&self, number: u32) -> Option<Entry> {
        self.0.get(number as usize).copied()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, Entry)> {
        (0_u32..).zip(self.0.iter().copied())
    }

    pub fn count(&self, fate: Fate) -> u64 {
        self.0.iter().filter(|entry| entry.fate == fate).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stays_small_because_a_long_run_has_millions() {
        assert_eq!(size_of::<Entry>(), 8);
    }

    #[test]
    fn a_bet_is_unknown_until_it_is_settled() {
        let mut book = Book::default();
        assert_eq!(book.open(5), Some(0));
        assert_eq!(book.open(6), Some(1));
        book.settle(1, Fate::Acknowledged);
        assert_eq!(book.get(0).unwrap().fate, Fate::Unknown);
        assert_eq!(book.get(1).unwrap().player, 6);
        assert_eq!(book.count(Fate::Acknowledged), 1);
        assert_eq!(book.count(Fate::Unknown), 1);
    }
}
