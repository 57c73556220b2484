//! The words of a sentence: parties, amounts, times, accounts.

use chain_state::AccountKind;
use chain_types::{Currency, LineAccount, TimeMs};

use crate::kit::*;

/// The meaning of a sentence, or its mistake.
pub type Read<T> = Result<T, String>;

const DAY_MS: u64 = 86_400_000;

/// The words of a sentence, read from the left. Commas and colons at the end of a word are air.
pub struct Words<'a> {
    words: Vec<&'a str>,
    at: usize,
    /// Midnight before block time: a time without a date is of this day.
    day: TimeMs,
}

impl<'a> Words<'a> {
    pub fn of(text: &'a str, now: TimeMs) -> Self {
        let words = text.split_whitespace().map(|word| word.trim_end_matches([',', ':']));
        Self { words: words.collect(), at: 0, day: TimeMs::new(now.get() / DAY_MS * DAY_MS) }
    }

    /// Passes over a phrase, if it comes next.
    pub fn eat(&mut self, phrase: &str) -> bool {
        let count = phrase.split(' ').count();
        let comes = self.words[self.at..].iter().take(count).copied().eq(phrase.split(' '));
        self.at += if comes { count } else { 0 };
        comes
    }

    /// Returns true if a word comes next, or nothing any more.
    pub fn is_before(&self, word: &str) -> bool {
        self.words.get(self.at).is_none_or(|next| *next == word)
    }

    pub fn expect(&mut self, phrase: &str) -> Read<()> {
        if self.eat(phrase) { Ok(()) } else { Err(self.wrong(phrase)) }
    }

    pub fn expect_end(&self) -> Read<()> {
        if self.is_at_end() { Ok(()) } else { Err(self.wrong("the end")) }
    }

    pub fn is_at_end(&self) -> bool {
        self.at == self.words.len()
    }

    /// The mistake of a sentence in which `expected` does not come next.
    pub fn wrong(&self, expected: &str) -> String {
        format!("expected {expected} at `{}`", self.words[self.at..].join(" "))
    }

    pub fn word(&mut self) -> Read<&'a str> {
        let word = self.words.get(self.at).copied().ok_or(self.wrong("a word"))?;
        self.at += 1;
        Ok(word)
    }

    pub fn number(&mut self) -> Read<u64> {
        let wrong = self.wrong("a number");
        self.word()?.parse().map_err(|_| wrong)
    }

    pub fn small(&mut self) -> Read<u16> {
        u16::try_from(self.number()?).map_err(|_| "a number above 65,535".to_owned())
    }

    /// `1 to 5`, or `1` alone.
    pub fn span(&mut self) -> Read<std::ops::RangeInclusive<u64>> {
        let first = self.number()?;
        let last = if self.eat("to") { self.number()? } else { first };
        Ok(first..=last)
    }

    /// Digits without their point, and how many stand behind it; negative with a minus.
    pub fn decimal(&mut self) -> Read<(i128, u16)> {
        let wrong = self.wrong("a decimal number");
        let text = self.word()?.replace(',', "");
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let digits = format!("{whole}{fraction}").parse().map_err(|_| wrong)?;
        Ok((digits, u16::try_from(fraction.len()).unwrap()))
    }

    pub fn currency(&mut self) -> Read<Currency> {
        let wrong = self.wrong("a currency");
        let word = self.word()?;
        let number = word.parse().ok().map(Currency::new);
        Currency::from_code(word).or(number).ok_or(wrong)
    }

    /// A sum that may be negative, written with the currency's decimals, in minor units.
    pub fn sum(&mut self) -> Read<(i128, Currency)> {
        let (digits, scale) = self.decimal()?;
        let currency = self.currency()?;
        check_scale(scale, currency)?;
        Ok((digits, currency))
    }

    pub fn amount(&mut self) -> Read<(u64, Currency)> {
        let (digits, currency) = self.sum()?;
        Ok((u64::try_from(digits).map_err(|_| "an amount has 64 bits")?, currency))
    }

    /// An amount whose currency was named before.
    pub fn amount_in(&mut self, currency: Currency) -> Read<u64> {
        let (digits, scale) = self.decimal()?;
        check_scale(scale, currency)?;
        u64::try_from(digits).map_err(|_| "an amount has 64 bits".to_owned())
    }

    /// `08:00:01`, `08:00:01.500` or `2028-02-29 08:00:01`, in UTC.
    pub fn time(&mut self) -> Read<TimeMs> {
        let wrong = self.wrong("a time");
        let mut word = self.word()?;
        let mut day = self.day;
        if let [year, month, date] = word.split('-').collect::<Vec<_>>()[..] {
            day = midnight(year, month, date).ok_or(wrong.clone())?;
            word = self.word()?;
        }
        Ok(day.plus(clock_ms(word).ok_or(wrong)?))
    }

    pub fn party(&mut self) -> Read<u32> {
        let named = [
            ("suspended service", SERVICE_SUSPENDED),
            ("second service", SERVICE_SECOND),
            ("service", SERVICE),
            ("bank A", BANK_A),
            ("bank B", BANK_B),
            ("suspended bank", BANK_SUSPENDED),
            ("poor bank", BANK_POOR),
            ("auditor", AUDITOR),
            ("risk desk", RISK_DESK),
        ];
        if let Some((_, id)) = named.into_iter().find(|(name, _)| self.eat(name)) {
            return Ok(id);
        }
        let (first, numbered) = match () {
            () if self.eat("operator") => (1, true),
            () if self.eat("provider") => (PROVIDERS[0], true),
            () if self.eat("agent") => (AGENTS[0], true),
            () if self.eat("party") => (0, false),
            () => return Err(self.wrong("a party")),
        };
        let number = u32::try_from(self.number()?).map_err(|_| "no such party")?;
        Ok(if numbered { first + number - 1 } else { number })
    }

    /// On which account of its owner a line is: `on position`; a provider's position and everybody
    /// else's liquidity, when nothing is said.
    pub fn line_account(&mut self, owner: u32) -> Read<u16> {
        Ok(match () {
            () if self.eat("on position") => LineAccount::FxPosition.number(),
            () if self.eat("on liquidity") => LineAccount::GatewayLiquidity.number(),
            () if self.eat("on account") => self.small()?,
            () if PROVIDERS.contains(&owner) => LineAccount::FxPosition.number(),
            () => LineAccount::GatewayLiquidity.number(),
        })
    }

    /// An account but for its currency: `liquidity of bank A`, `payable of merchant 1001`.
    pub fn account(&mut self) -> Read<(AccountKind, u64)> {
        let kinds = [
            ("liquidity of", AccountKind::GatewayLiquidity),
            ("payable of merchant", AccountKind::MerchantPayable),
            ("budget of merchant", AccountKind::CashbackPool),
            ("cashback owed to", AccountKind::CashbackOwed),
            ("position of", AccountKind::FxPosition),
            ("fees", AccountKind::Fees),
            ("suspense", AccountKind::Suspense),
            ("outside", AccountKind::SchemeSettlement),
        ];
        let found = kinds.into_iter().find(|(name, _)| self.eat(name));
        let (name, kind) = found.ok_or(self.wrong("an account"))?;
        let owner = match name {
            _ if name.ends_with("merchant") => self.number()?,
            _ if name.contains(' ') => u64::from(self.party()?),
            _ => 0,
        };
        Ok((kind, owner))
    }
}

fn check_scale(scale: u16, currency: Currency) -> Read<()> {
    match currency.exponent() {
        Some(exponent) if exponent != scale => {
            Err(format!("amounts of {} have {exponent} decimals", currency.code().unwrap_or("?")))
        }
        _ => Ok(()),
    }
}

fn clock_ms(text: &str) -> Option<u64> {
    let (clock, ms) = text.split_once('.').unwrap_or((text, "000"));
    let [hours, minutes, seconds] = clock.split(':').collect::<Vec<_>>()[..] else { return None };
    let number = |text: &str| text.parse::<u64>().ok();
    let seconds = (number(hours)? * 60 + number(minutes)?) * 60 + number(seconds)?;
    (ms.len() == 3).then_some(seconds * 1_000 + number(ms)?)
}

/// Counted day by day, so that it shares no formula with the calendar under test.
fn midnight(year: &str, month: &str, date: &str) -> Option<TimeMs> {
    let number = |text: &str| text.parse::<u64>().ok();
    let (year, month, date) = (number(year)?, number(month)?, number(date)?);
    let is_leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let days_of = |year, month| match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let years = (1970..year).map(|year| 365 + u64::from(is_leap(year))).sum::<u64>();
    let months = (1..month).map(|month| days_of(year, month)).sum::<u64>();
    Some(TimeMs::new((years + months + date.checked_sub(1)?) * DAY_MS))
}
