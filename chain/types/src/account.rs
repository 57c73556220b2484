//! Names of accounts: a kind, an owner and a currency.

use std::fmt;
use std::str::FromStr;

use bincode::{Decode, Encode};

use crate::ids::{IdError, MerchantId, ParticipantId};
use crate::numbered;
use crate::units::Currency;

numbered! {
    /// The purpose of an account, which says who owns it.
    AccountKind: u8, name {
        /// The rest of what a gateway may collect; owned by the gateway.
        GatewayLiquidity = 1, "gateway-liquidity";
        /// Money that the scheme owes a merchant; owned by the merchant.
        MerchantPayable = 2, "merchant-payable";
        /// A cashback programme's prefunded budget; owned by the merchant.
        CashbackPool = 3, "cashback-pool";
        /// Cashback that a gateway credits to users and is not yet paid for; owned by the gateway.
        CashbackOwed = 4, "cashback-owed";
        /// An FX provider's position; owned by the provider.
        FxPosition = 5, "fx-position";
        /// Fees earned; owned by the scheme.
        Fees = 6, "fees";
        /// Funds of failed payments until they are instructed again or returned: a party of
        /// windows' nets; owned by the scheme.
        Suspense = 7, "suspense";
        /// Counter-account of all money that came from or went outside; owned by the scheme.
        SchemeSettlement = 8, "scheme-settlement";
    }
}

numbered! {
    /// On which account of its owner a line is: the number is the account kind's.
    LineAccount: u16, name {
        /// A gateway's liquidity, which an order's amount is reserved on.
        GatewayLiquidity = 1, "gateway-liquidity";
        /// An FX provider's position, which an order's payout is reserved on.
        FxPosition = 5, "fx-position";
    }
}

impl LineAccount {
    /// Returns the kind of the account.
    pub const fn kind(self) -> AccountKind {
        match self {
            Self::GatewayLiquidity => AccountKind::GatewayLiquidity,
            Self::FxPosition => AccountKind::FxPosition,
        }
    }

    /// Returns the account of this kind on which a line may be; `None` of any other kind.
    pub const fn of(kind: AccountKind) -> Option<Self> {
        match kind {
            AccountKind::GatewayLiquidity => Some(Self::GatewayLiquidity),
            AccountKind::FxPosition => Some(Self::FxPosition),
            _ => None,
        }
    }
}

/// The owner number of accounts that belong to the scheme itself.
pub const SCHEME_OWNER: u64 = 0;

/// Names an account: one a kind, owner and currency. Its text is `kind:owner:CURRENCY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct AccountKey {
    /// The purpose of the account, which says who its owner is.
    pub kind: AccountKind,
    /// The participant's or merchant's id, by kind; [`SCHEME_OWNER`] for the scheme's own.
    pub owner: u64,
    /// The currency of all its counters.
    pub currency: Currency,
}

impl AccountKey {
    /// The liquidity account of a gateway.
    pub const fn liquidity(gateway: ParticipantId, currency: Currency) -> Self {
        Self { kind: AccountKind::GatewayLiquidity, owner: gateway.get() as u64, currency }
    }

    /// The payable account of a merchant.
    pub const fn payable(merchant: MerchantId, currency: Currency) -> Self {
        Self { kind: AccountKind::MerchantPayable, owner: merchant.get(), currency }
    }

    /// The budget of a merchant's cashback programme.
    pub const fn cashback_pool(merchant: MerchantId, currency: Currency) -> Self {
        Self { kind: AccountKind::CashbackPool, owner: merchant.get(), currency }
    }

    /// Cashback that a gateway is owed.
    pub const fn cashback_owed(gateway: ParticipantId, currency: Currency) -> Self {
        Self { kind: AccountKind::CashbackOwed, owner: gateway.get() as u64, currency }
    }

    /// An FX provider's position.
    pub const fn fx_position(provider: ParticipantId, currency: Currency) -> Self {
        Self { kind: AccountKind::FxPosition, owner: provider.get() as u64, currency }
    }

    /// Returns the account that holds failed payments' funds in a currency.
    pub const fn suspense(currency: Currency) -> Self {
        Self { kind: AccountKind::Suspense, owner: SCHEME_OWNER, currency }
    }

    /// The counter-account of deposits in a currency.
    pub const fn scheme_settlement(currency: Currency) -> Self {
        Self { kind: AccountKind::SchemeSettlement, owner: SCHEME_OWNER, currency }
    }
}

impl fmt::Display for AccountKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.kind, self.owner, self.currency.code_or_number())
    }
}

impl FromStr for AccountKey {
    type Err = IdError;

    /// Reads the one form in which a key is displayed: no sign, no leading zero.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = IdError { expected: "kind:owner:CURRENCY, such as gateway-liquidity:201:CNY" };
        let mut parts = text.split(':');
        let (Some(kind), Some(owner), Some(currency), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(error);
        };
        let key = Self {
            kind: kind.parse().map_err(|_| error)?,
            owner: owner.parse().map_err(|_| error)?,
            currency: Currency::from_code_or_number(currency).ok_or(error)?,
        };
        if key.to_string() == text { Ok(key) } else { Err(error) }
    }
}
