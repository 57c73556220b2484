//! A method of the interface as a row of one table ([`mod@crate::methods`]): its name, what it
//! does, its parameters, answer, errors, readers and an example. From the rows come the server's
//! traits and the typed clients, the check of parameters, `rpc.discover`, docs/rpc.md and the tests
//! of all.

use schemars::{Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::signature::{MethodSignature, Parameter};

/// Makes a type's schema, or a reference to it.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A scope that a token grants. A caller without a token has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenScope {
    /// Reads that show no party's business; every token has it.
    Public,
    /// A participant for its own rows.
    Participant,
    /// A gateway for its own rows.
    Gateway,
    /// Reads every row of every party.
    Auditor,
    /// Runs the node: its status, proposals and the trial balance.
    Operator,
}

impl TokenScope {
    /// Every scope of tokens.
    pub const ALL: &'static [Self] =
        &[Self::Public, Self::Participant, Self::Gateway, Self::Auditor, Self::Operator];

    /// The name that tokens files, commands and pages use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Participant => "participant",
            Self::Gateway => "gateway",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }

    /// The scope of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.name() == name)
    }
}

/// The rows of a method that a scope of tokens reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rows {
    /// The method is refused.
    None,
    /// Rows that name one of the token's parties.
    Own,
    /// Rows of every party.
    All,
}

impl Rows {
    /// The name that rpc.discover and the page use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Own => "own",
            Self::All => "all",
        }
    }
}

/// The callers that a method is for. A node with a tokens file enforces it: see docs/access.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Anybody, without a condition.
    Open,
    /// Anybody whom the operator lets read in public.
    Public,
    /// Every participant of the registry.
    Participant,
    /// The participant that signed the batch.
    Submitter,
    /// The parties of the order, and auditors.
    OrderParty,
    /// The account's owner, settlement agents and auditors.
    AccountOwner,
    /// The gateway that pays, settlement agents and auditors.
    PayingGateway,
    /// Participants for their own rows; settlement agents and auditors for all.
    OwnRows,
    /// The provider, the parties of its orders, and auditors.
    QuoteParty,
    /// The merchant's gateway and registrar, and auditors.
    MerchantSide,
    /// Risk desks, and the user's own service.
    UserService,
    /// Risk desks and auditors.
    RiskDesk,
    /// Operators of nodes, and auditors.
    Operator,
    /// Operators, at a listener of their own.
    OwnListener,
}

impl Scope {
    /// Every scope, from the widest to the narrowest.
    pub const ALL: &'static [Self] = &[
        Self::Open,
        Self::Public,
        Self::Participant,
        Self::Submitter,
        Self::OrderParty,
        Self::AccountOwner,
        Self::PayingGateway,
        Self::OwnRows,
        Self::QuoteParty,
        Self::MerchantSide,
        Self::UserService,
        Self::RiskDesk,
        Self::Operator,
        Self::OwnListener,
    ];

    /// The name that rpc.discover and the page use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Public => "public",
            Self::Participant => "participant",
            Self::Submitter => "submitter",
            Self::OrderParty => "order-party",
            Self::AccountOwner => "account-owner",
            Self::PayingGateway => "paying-gateway",
            Self::OwnRows => "own-rows",
            Self::QuoteParty => "quote-party",
            Self::MerchantSide => "merchant-side",
            Self::UserService => "user-service",
            Self::RiskDesk => "risk-desk",
            Self::Operator => "operator",
            Self::OwnListener => "own-listener",
        }
    }

    /// Returns true if a caller needs no token, also where there is a tokens file.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open)
    }

    /// Returns true if a node without a tokens file answers everybody.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Open | Self::Public)
    }

    /// Returns the rows that a scope of tokens reads of methods of this scope.
    pub const fn rows(self, of: TokenScope) -> Rows {
        use TokenScope::{Auditor, Gateway, Operator, Participant, Public};
        match (self, of) {
            (Self::Open | Self::Public, _)
            | (Self::Participant, Participant | Gateway | Auditor | Operator)
            | (Self::Operator, Auditor | Operator)
            | (Self::OwnListener, Operator) => Rows::All,
            (Self::Operator | Self::UserService | Self::RiskDesk, Participant | Gateway)
            | (Self::OwnListener, Participant | Gateway | Auditor) => Rows::None,
            // Auditors read what batches did, and send none.
            (Self::PayingGateway, Participant) | (Self::Submitter, Auditor) => Rows::None,
            (_, Public | Operator) => Rows::None,
            (_, Auditor) => Rows::All,
            (_, Participant | Gateway) => Rows::Own,
        }
    }

    /// Returns the callers that the scope allows, in a few words.
    pub const fn readers(self) -> &'static str {
        match self {
            Self::Open => "anybody",
            Self::Public => "anybody, where the operator serves the public",
            Self::Participant => "every registered participant",
            Self::Submitter => "the participant that signed the batch",
            Self::OrderParty => "the order's parties; auditors",
            Self::AccountOwner => "the account's owner; settlement agents; auditors",
            Self::PayingGateway => "the gateway that pays; settlement agents; auditors",
            Self::OwnRows => "participants their own rows; settlement agents and auditors all",
            Self::QuoteParty => "the provider; the parties of its orders; auditors",
            Self::MerchantSide => "the merchant's gateway and registrar; auditors",
            Self::UserService => "risk desks; the user's own service",
            Self::RiskDesk => "risk desks; auditors",
            Self::Operator => "operators; auditors",
            Self::OwnListener => "operators, at a listener of their own",
        }
    }
}

/// How far clients may build on a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stability {
    /// A breaking change raises the interface's major version.
    Stable,
    /// It may change or go with any version.
    Experimental,
}

impl Stability {
    /// The name that rpc.discover and the page use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Experimental => "experimental",
        }
    }
}

/// The events of a method that subscribes.
#[derive(Debug, Clone, Copy)]
pub struct Subscription {
    /// The `method` of the notifications that carry its events.
    pub notification: &'static str,
    /// The method that ends it.
    pub unsubscribe: &'static str,
    /// The schema of an event.
    pub event: SchemaOf,
    /// The events that come first when the parameter that names a place is left out.
    pub without_place: &'static str,
    /// How to continue after the last event that was received.
    pub resume: &'static str,
}

/// A method of the interface.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    /// The method's full name, namespace included.
    pub name: &'static str,
    /// The documentation: a first paragraph that sums it up, then the rest. A line of text a line.
    pub documentation: &'static str,
    /// Its parameters, in the order in which they may be listed.
    pub parameters: &'static [Parameter],
    /// The schema of its result; of a subscription, of the subscription's id.
    pub result: SchemaOf,
    /// The interface's errors that are this method's own, ascending by code.
    pub errors: &'static [ApiError],
    /// True if it may also be refused with a batch's rejections.
    pub rejects_batches: bool,
    /// The callers that it is meant for.
    pub scope: Scope,
    /// How far clients may build on it.
    pub stability: Stability,
    /// The parameters of a call, as a JSON object; the answer is recorded from a live node.
    pub example: &'static str,
    /// The events, if it subscribes.
    pub subscription: Option<Subscription>,
}

impl Method {
    /// The first paragraph of the documentation.
    pub fn summary(&self) -> String {
        self.paragraphs().into_iter().next().unwrap_or_default()
    }

    /// The paragraphs after the first.
    pub fn description(&self) -> String {
        self.paragraphs().into_iter().skip(1).collect::<Vec<_>>().join("\n\n")
    }

    /// The namespace: the name's part before the first separator.
    pub fn namespace(&self) -> &'static str {
        self.name.split(['_', '.']).next().unwrap_or_default()
    }

    /// The parameter that names the place from which a subscription resumes: its last one.
    pub fn place(&self) -> Option<&'static Parameter> {
        self.subscription.and(self.parameters.last())
    }

    /// The name and the parameters, which a call is held against.
    pub const fn signature(&self) -> MethodSignature {
        MethodSignature { method: self.name, parameters: self.parameters }
    }

    fn paragraphs(&self) -> Vec<String> {
        let paragraphs = self.documentation.split("\n\n");
        let joined = paragraphs.map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
        joined.filter(|one| !one.is_empty()).collect()
    }
}

/// Makes the rows of a namespace, and the jsonrpsee trait that gives the server's trait and the
/// typed client. A row's documentation is the method's, everywhere. The attribute and `self` are
/// written beside the rows, so that what jsonrpsee makes of them sees one another.
macro_rules! interface {
    (@ schema [] $result:ty) => { schemars::SchemaGenerator::subschema_for::<$result> };
    (@ schema [$form:ident] $result:ty) => {
        schemars::SchemaGenerator::subschema_for::<$crate::text::Text<$form>>
    };
    (@ batch_rejections) => { true };
    (@) => { false };
    (
        $(#[doc = $about:literal])*
        $rpc:ident $mark:tt $attribute:tt;
        $(
            $(#[doc = $text:literal])*
            $name:literal: $function:ident(
                &$me:ident $(, $parameter:ident: $type:ident$(<$of:ident>)?)* $(,)?
            )
                -> $result:ident$(<$item:ident>)? $(as $form:ident)?
            {
                errors: [$($error:ident),* $(,)?] $(+ $batch_rejections:ident)?,
                scope: $scope:ident,
                stability: $stability:ident,
                example: $example:literal,
            }
        )*
        $(subscriptions {
            $(
                $(#[doc = $event_text:literal])*
                $subscribe:literal => $notification:literal, $unsubscribe:literal:
                    $subscriber:ident(
                        &$it:ident $(, $place:ident: $place_type:ident$(<$place_of:ident>)?)*
                    )
                    -> $event:ident
                {
                    without_place: $without_place:literal,
                    resume: $resume:literal,
                    errors: [$($refusal:ident),*],
                    scope: $reader:ident,
                    stability: $lasting:ident,
                    example: $call:literal,
                }
            )*
        })?
    ) => {
        $(#[doc = $about])*
        $mark $attribute
        pub trait $rpc {
            $(
                $(#[doc = $text])*
                #[method(name = $name)]
                async fn $function(&$me $(, $parameter: $type$(<$of>)?)*)
                    -> jsonrpsee::core::RpcResult<$result$(<$item>)?>;
            )*
            $($(
                $(#[doc = $event_text])*
                #[subscription(
                    name = $subscribe => $notification,
                    unsubscribe = $unsubscribe,
                    item = $event,
                    with_extensions
                )]
                async fn $subscriber(&$it $(, $place: $place_type$(<$place_of>)?)*)
                    -> jsonrpsee::core::SubscriptionResult;
            )*)?
        }

        /// The rows of the namespace.
        pub(super) const METHODS: &[$crate::method::Method] = &[
            $($crate::method::Method {
                name: $name,
                documentation: concat!($($text, "\n"),*),
                parameters: &[$($crate::signature::Parameter::of::<$type$(<$of>)?>(
                    stringify!($parameter),
                )),*],
                result: interface!(@ schema [$($form)?] $result$(<$item>)?),
                errors: &[$($crate::error::ApiError::$error),*],
                rejects_batches: interface!(@ $($batch_rejections)?),
                scope: $crate::method::Scope::$scope,
                stability: $crate::method::Stability::$stability,
                example: $example,
                subscription: None,
            },)*
            $($($crate::method::Method {
                name: $subscribe,
                documentation: concat!($($event_text, "\n"),*),
                parameters: &[$($crate::signature::Parameter::of::<$place_type$(<$place_of>)?>(
                    stringify!($place),
                )),*],
                result: schemars::SchemaGenerator::subschema_for::<
                    $crate::subscription::SubscriptionId,
                >,
                errors: &[$($crate::error::ApiError::$refusal),*],
                rejects_batches: false,
                scope: $crate::method::Scope::$reader,
                stability: $crate::method::Stability::$lasting,
                example: $call,
                subscription: Some($crate::method::Subscription {
                    notification: $notification,
                    unsubscribe: $unsubscribe,
                    event: schemars::SchemaGenerator::subschema_for::<$event>,
                    without_place: $without_place,
                    resume: $resume,
                }),
            },)*)?
        ];
    };
}

pub(crate) use interface;
