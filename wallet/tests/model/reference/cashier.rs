//! Deposits and withdrawals, as the rules tell of them.

use pitboss_wallet::{
    Deposit, DepositStep, ExternalId, InitiateDeposit, Kind, Money, Person, RefusalCode,
    RequestWithdrawal, ReviewReason, WithdrawalStep,
};

use super::{Answer, Draft, Effect, LineNumber, Meaning, Model, No, Who, Yes};
use crate::harness::NOON;

/// A payment by its place: in the order in which they began.
pub type PaymentNumber = usize;

#[derive(Debug, Clone)]
pub struct PaymentBook {
    pub who: Who,
    pub is_deposit: bool,
    pub amount: Money,
    pub fee: i64,
    /// In the words of the rules.
    pub state: &'static str,
    /// The line that began it; a part has none.
    pub line: Option<LineNumber>,
    provider_reference: Option<ExternalId>,
    /// Whether its time is over.
    is_due: bool,
    needed: usize,
    may_cancel: bool,
    hold: Option<ReviewReason>,
    requester: Option<Person>,
    approvers: Vec<Person>,
}

impl PaymentBook {
    pub fn is_held(&self) -> bool {
        ["requested", "in_review", "on_hold", "approved"].contains(&self.state) && !self.is_deposit
    }

    pub fn is_sent(&self) -> bool {
        ["processing", "unknown"].contains(&self.state)
    }
}

impl Model {
    pub(super) fn deposit(&mut self, who: Who, deposit: &Deposit) -> Answer {
        let amount = deposit.amount;
        if amount.units <= 0 {
            return Err(RefusalCode::Malformed.into());
        }
        let meaning = Meaning {
            amount: Some(amount),
            ..Meaning::default()
        };
        if let Some(number) = self.stored(who, Kind::Deposit, &deposit.reference, &meaning)? {
            return self.repeat(number);
        }
        self.check_other_kind(who, Kind::DepositRequest, &deposit.reference)?;
        if self.people[who].out {
            return Err(RefusalCode::PlayerBlocked.into());
        }
        let receipt = self.write_if_it_fits(Draft {
            who,
            kind: Kind::Deposit,
            id: deposit.reference.clone(),
            meaning,
            effect: Effect::Deposited(amount),
            currency: Some(amount.currency),
            units: amount.units,
        })?;
        // It can be taken back like any other.
        let line = Some(receipt.line);
        self.payments
            .push(deposit_book(who, amount, line, "completed", false));
        Ok(Yes::New(vec![receipt]))
    }

    /// Whether a reference was used for a deposit of the other kind: at once, or announced.
    fn check_other_kind(&self, who: Who, kind: Kind, reference: &ExternalId) -> Result<(), No> {
        match self.line_of(who, kind, reference) {
            Some(line) => Err(self.mismatch_with(who, line)),
            None => Ok(()),
        }
    }

    fn mismatch_with(&self, who: Who, line: LineNumber) -> No {
        No {
            code: RefusalCode::TransactionMismatch,
            original: (self.log[line].who == who).then_some(line),
        }
    }

    pub(super) fn initiate(&mut self, who: Who, asked: &InitiateDeposit) -> Answer {
        if asked.amount.units <= 0 {
            return Err(RefusalCode::Malformed.into());
        }
        let meaning = Meaning {
            amount: Some(asked.amount),
            ..Meaning::default()
        };
        let kind = Kind::DepositRequest;
        if let Some(line) = self.stored(who, kind, &asked.reference, &meaning)? {
            return Ok(self.known(line));
        }
        self.check_other_kind(who, Kind::Deposit, &asked.reference)?;
        if self.people[who].out {
            return Err(RefusalCode::PlayerBlocked.into());
        }
        let draft =
            self.payment_draft(who, kind, &asked.reference, Effect::Announced, asked.amount);
        let line = self.write_if_it_fits(Draft { meaning, ..draft })?.line;
        let is_due = asked.expires_at.is_some_and(|at| at <= NOON);
        self.payments.push(deposit_book(
            who,
            asked.amount,
            Some(line),
            "initiated",
            is_due,
        ));
        Ok(Yes::Payment {
            number: self.payments.len() - 1,
            is_repeat: false,
            brought: None,
        })
    }

    fn known(&self, line: LineNumber) -> Yes {
        let mut payments = self.payments.iter();
        let number = payments.position(|one| one.line == Some(line)).unwrap();
        Yes::Payment {
            number,
            is_repeat: true,
            brought: None,
        }
    }

    /// The payment with this number, if it is his and of this kind.
    fn his(&self, who: Who, number: PaymentNumber, is_deposit: bool) -> Result<PaymentBook, No> {
        let payment = self.payments.get(number);
        let his = payment.filter(|one| one.who == who && one.is_deposit == is_deposit);
        his.cloned()
            .ok_or_else(|| RefusalCode::UnknownPayment.into())
    }

    fn payment_draft(
        &self,
        who: Who,
        kind: Kind,
        id: &ExternalId,
        effect: Effect,
        amount: Money,
    ) -> Draft {
        Draft {
            who,
            kind,
            id: id.clone(),
            meaning: Meaning::default(),
            effect,
            currency: Some(amount.currency),
            units: amount.units,
        }
    }

    pub(super) fn move_deposit(
        &mut self,
        who: Who,
        number: PaymentNumber,
        step: &DepositStep,
    ) -> Answer {
        let mut payment = self.his(who, number, true)?;
        let told = match step {
            DepositStep::Pend { provider_reference }
            | DepositStep::Complete {
                provider_reference, ..
            } => Some(provider_reference),
            _ => None,
        };
        let is_bound = !["failed", "expired"].contains(&payment.state);
        if let (Some(told), Some(known), true) = (told, &payment.provider_reference, is_bound)
            && told != known
        {
            return Err(RefusalCode::TransactionMismatch.into());
        }
        let to = match step {
            DepositStep::Pend { .. } => "pending",
            DepositStep::Complete { .. } => "completed",
            DepositStep::Fail { .. } => "failed",
            DepositStep::Expire => "expired",
            DepositStep::Reverse { .. } => "reversed",
            DepositStep::ChargeBack { .. } => "charged_back",
        };
        let answer = |is_repeat, brought| Yes::Payment {
            number,
            is_repeat,
            brought,
        };
        if payment.state == to || to == "pending" && payment.state != "initiated" {
            return Ok(answer(true, None));
        }
        let may = match to {
            "pending" => ["initiated"].contains(&payment.state),
            "completed" => ["initiated", "pending", "failed", "expired"].contains(&payment.state),
            "failed" | "expired" => ["initiated", "pending"].contains(&payment.state),
            _ => payment.state == "completed",
        };
        if !may || to == "expired" && !payment.is_due {
            return Err(RefusalCode::PaymentState.into());
        }
        let mut brought = None;
        match step {
            DepositStep::Complete {
                provider_reference,
                amount,
            } => {
                if *amount != payment.amount {
                    return Err(RefusalCode::TransactionMismatch.into());
                }
                // One payment of the payment provider brings money once, whoever is told of it.
                let mut log = self.log.iter();
                let same = log.position(|line| {
                    matches!(&line.effect, Effect::Brought { by, .. } if by == provider_reference)
                });
                if let Some(line) = same {
                    return Err(self.mismatch_with(who, line));
                }
                let effect = Effect::Brought {
                    by: provider_reference.clone(),
                    amount: *amount,
                };
                let draft =
                    self.payment_draft(who, Kind::Deposit, provider_reference, effect, *amount);
                brought = Some(self.write_if_it_fits(draft)?.line);
            }
            DepositStep::Reverse { .. } | DepositStep::ChargeBack { .. } => {
                let effect = Effect::Reversed(payment.amount);
                let kind = Kind::DepositReversal;
                let draft = self.payment_draft(who, kind, &ours(number), effect, payment.amount);
                self.write_if_it_fits(draft)?;
            }
            _ => {}
        }
        payment.provider_reference = told.cloned().or(payment.provider_reference);
        payment.state = to;
        self.payments[number] = payment;
        Ok(answer(false, brought))
    }

    pub(super) fn request(&mut self, who: Who, asked: &RequestWithdrawal) -> Answer {
        let terms = &asked.terms;
        let amount = asked.amount;
        let total = i128::from(amount.units) + i128::from(terms.fee_units);
        let total = i64::try_from(total).unwrap_or(0);
        if amount.units <= 0 || terms.fee_units < 0 || total <= 0 {
            return Err(RefusalCode::Malformed.into());
        }
        let kind = Kind::Withdrawal;
        let meaning = Meaning {
            amount: Some(amount),
            names: asked.destination.as_deref().map(crate::harness::ext),
            ..Meaning::default()
        };
        if let Some(line) = self.stored(who, kind, &asked.reference, &meaning)? {
            return Ok(self.known(line));
        }
        let books = self.books();
        let free = books.cash(who, amount.currency) - books.owed(who, amount.currency);
        if free < i128::from(total) {
            return Err(RefusalCode::InsufficientFunds.into());
        }
        let effect = Effect::Held {
            amount,
            fee: terms.fee_units,
        };
        let whole = Money::new(total, amount.currency);
        let draft = self.payment_draft(who, kind, &asked.reference, effect, whole);
        let line = self.write_if_it_fits(Draft { meaning, ..draft })?.line;
        let looks = !terms.review.is_empty();
        let needed = usize::from(terms.approvers).max(usize::from(looks));
        self.payments.push(PaymentBook {
            who,
            is_deposit: false,
            amount,
            fee: terms.fee_units,
            state: match (needed, looks) {
                (0, _) => "approved",
                (_, true) => "in_review",
                (_, false) => "requested",
            },
            line: Some(line),
            provider_reference: None,
            is_due: terms.expires_at.is_some_and(|at| at <= NOON),
            needed,
            may_cancel: terms.may_cancel,
            hold: None,
            requester: Some(asked.by.clone()),
            approvers: Vec::new(),
        });
        Ok(Yes::Payment {
            number: self.payments.len() - 1,
            is_repeat: false,
            brought: None,
        })
    }

    pub(super) fn move_withdrawal(
        &mut self,
        who: Who,
        number: PaymentNumber,
        step: &WithdrawalStep,
    ) -> Answer {
        let mut payment = self.his(who, number, false)?;
        let answer = |is_repeat| Yes::Payment {
            number,
            is_repeat,
            brought: None,
        };
        // Section 4 of the rules, row by row.
        let unsent = ["requested", "in_review", "on_hold", "approved"];
        let (from, to): (&[&str], &'static str) = match step {
            WithdrawalStep::StartReview { .. } => (&["requested"], "in_review"),
            WithdrawalStep::Hold { .. } => (&["in_review"], "on_hold"),
            WithdrawalStep::ClearHold { .. } => (&["on_hold"], "in_review"),
            WithdrawalStep::Approve { .. } => (&["in_review"], "approved"),
            WithdrawalStep::Cancel { .. } => (&unsent[..3], "cancelled"),
            WithdrawalStep::Reject { .. } => (&unsent, "rejected"),
            WithdrawalStep::Expire => (&unsent, "expired"),
            WithdrawalStep::Confiscate { .. } => (&unsent, "confiscated"),
            WithdrawalStep::Send => (&["approved"], "processing"),
            WithdrawalStep::LoseSight => (&["processing"], "unknown"),
            WithdrawalStep::Pay { .. } => (&["processing", "unknown"], "paid"),
            WithdrawalStep::Fail { .. } => (&["processing", "unknown"], "failed"),
            WithdrawalStep::Return { .. } => (&["paid"], "returned"),
            WithdrawalStep::Split { .. } => (&["approved"], "split"),
        };
        let is_possible = from.contains(&payment.state);
        match step {
            WithdrawalStep::Approve { by } => {
                let is_his = payment.approvers.iter().any(|one| one.by.key == by.by.key);
                if is_his && (is_possible || payment.state == "approved") {
                    return Ok(answer(true));
                }
            }
            WithdrawalStep::Hold { reason, .. }
                if payment.state == "on_hold" && payment.hold == Some(*reason) =>
            {
                return Ok(answer(true));
            }
            WithdrawalStep::Hold { .. } => {}
            WithdrawalStep::Pay { provider_reference } => {
                let known = payment.provider_reference.as_ref();
                if known.is_some_and(|known| known != provider_reference) {
                    return Err(RefusalCode::TransactionMismatch.into());
                }
                if payment.state == "paid" {
                    return Ok(answer(true));
                }
            }
            _ if payment.state == to => return Ok(answer(true)),
            _ => {}
        }
        if !is_possible {
            return Err(RefusalCode::PaymentState.into());
        }
        if let WithdrawalStep::Approve { by } = step {
            let asked = payment.requester.iter();
            let mut others = asked.chain(&payment.approvers);
            // Here each name has one key, and each key one name.
            if others.any(|other| other.by == by.by) {
                return Err(RefusalCode::SamePerson.into());
            }
            payment.approvers.push(by.clone());
            if payment.approvers.len() == payment.needed {
                payment.state = to;
            }
            self.payments[number] = payment;
            return Ok(answer(false));
        }
        if let WithdrawalStep::Split { parts } = step {
            return self.split(number, parts);
        }
        let (amount, fee) = (payment.amount, payment.fee);
        let is_sent = payment.is_sent();
        let (kind, effect) = match step {
            WithdrawalStep::Cancel { .. } if !payment.may_cancel => {
                return Err(RefusalCode::CancelRefused.into());
            }
            WithdrawalStep::Expire if !payment.is_due => {
                return Err(RefusalCode::PaymentState.into());
            }
            WithdrawalStep::Cancel { .. }
            | WithdrawalStep::Reject { .. }
            | WithdrawalStep::Expire
            | WithdrawalStep::Fail { .. } => {
                let effect = Effect::Released {
                    amount,
                    fee,
                    is_sent,
                };
                (Kind::WithdrawalRelease, effect)
            }
            WithdrawalStep::Confiscate { .. } => {
                let effect = Effect::Confiscated { amount, fee };
                (Kind::WithdrawalConfiscation, effect)
            }
            WithdrawalStep::Send => (Kind::WithdrawalPayout, Effect::Sent(amount)),
            WithdrawalStep::Pay { .. } => (Kind::WithdrawalPaid, Effect::PaidOut { amount, fee }),
            WithdrawalStep::Return { .. } => (Kind::WithdrawalReturn, Effect::CameBack(amount)),
            _ => {
                if let WithdrawalStep::Hold { reason, .. } = step {
                    payment.hold = Some(*reason);
                }
                payment.state = to;
                self.payments[number] = payment;
                return Ok(answer(false));
            }
        };
        let draft = self.payment_draft(who, kind, &ours(number), effect, amount);
        self.write_if_it_fits(draft)?;
        if let WithdrawalStep::Pay { provider_reference } = step {
            payment.provider_reference = Some(provider_reference.clone());
        }
        payment.state = to;
        self.payments[number] = payment;
        Ok(answer(false))
    }

    /// The first part bears the fee.
    fn split(&mut self, number: PaymentNumber, parts: &[i64]) -> Answer {
        let whole = self.payments[number].clone();
        let sum: i128 = parts.iter().map(|units| i128::from(*units)).sum();
        let is_sound = parts.len() >= 2 && parts.iter().all(|units| *units > 0);
        if !is_sound || sum != i128::from(whole.amount.units) {
            return Err(RefusalCode::Malformed.into());
        }
        for (place, units) in parts.iter().enumerate() {
            self.payments.push(PaymentBook {
                amount: Money::new(*units, whole.amount.currency),
                fee: if place == 0 { whole.fee } else { 0 },
                line: None,
                ..whole.clone()
            });
        }
        self.payments[number].state = "split";
        Ok(Yes::Payment {
            number,
            is_repeat: false,
            brought: None,
        })
    }
}

fn deposit_book(
    who: Who,
    amount: Money,
    line: Option<LineNumber>,
    state: &'static str,
    is_due: bool,
) -> PaymentBook {
    PaymentBook {
        who,
        is_deposit: true,
        amount,
        fee: 0,
        state,
        line,
        provider_reference: None,
        is_due,
        needed: 0,
        may_cancel: false,
        hold: None,
        requester: None,
        approvers: Vec::new(),
    }
}

/// What a payment does once is named by the payment.
fn ours(number: PaymentNumber) -> ExternalId {
    crate::harness::ext(&format!("payment {number}"))
}
