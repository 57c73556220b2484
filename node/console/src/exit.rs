//! Exit codes that scripts can rely on, and how an error gets one.

use std::fmt;
use std::process::ExitCode;

use rpc_client::client::CallError;

/// The exit code of the process. The numbers are part of the command line's interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: it was done, or the answer is yes.
    Done,
    /// 1: it was done and the answer is no: an invalid receipt, a digest that differs.
    Negative,
    /// 2: the command line, or a file it names, is wrong.
    Usage,
    /// 3: the chain, or a node on its behalf, refused with a code.
    Refused,
    /// 4: no node could be reached, or none answered in time.
    Unreachable,
    /// 5: something is broken on this side: a disk, a permission, a port.
    Fault,
    /// 6: governance removed this node, or gave it keys that are not here: starting it again
    /// changes nothing.
    Withdrawn,
}

impl Exit {
    /// Every exit, ascending by number.
    pub const ALL: [Self; 7] = [
        Self::Done,
        Self::Negative,
        Self::Usage,
        Self::Refused,
        Self::Unreachable,
        Self::Fault,
        Self::Withdrawn,
    ];

    /// Returns the code as a number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Negative => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Unreachable => 4,
            Self::Fault => 5,
            Self::Withdrawn => 6,
        }
    }

    /// The word that JSON uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Negative => "negative",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Fault => "fault",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The code of an error: the outermost one that was given with [`WithExit::exit`], else that of
    /// the call that did not succeed, else [`Exit::Fault`].
    pub fn of(error: &anyhow::Error) -> Self {
        let given = error.downcast_ref::<Self>().copied();
        let call = || error.downcast_ref::<CallError>().map(Self::from);
        given.or_else(call).unwrap_or(Self::Fault)
    }
}

impl From<&CallError> for Exit {
    fn from(error: &CallError) -> Self {
        if error.is_refusal() { Self::Refused } else { Self::Unreachable }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Gives an error the exit code that it should end with.
pub trait WithExit<T> {
    /// The same result, whose error ends the process with `exit`.
    fn exit(self, exit: Exit) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> WithExit<T> for Result<T, E> {
    fn exit(self, exit: Exit) -> anyhow::Result<T> {
        self.map_err(|error| error.into().context(exit))
    }
}

/// An error made of a sentence, with the exit code that it should end with.
pub fn failure(exit: Exit, message: impl Into<String>) -> anyhow::Error {
    anyhow::Error::msg(message.into()).context(exit)
}
