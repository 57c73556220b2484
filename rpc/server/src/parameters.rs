//! Holds every call's parameters against its method's signature, before the method sees them: what
//! a client says is taken as said or refused by name, and never ignored.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::ready;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::core::server::{MethodCallback, MethodResponse, Methods};
use rpc_api::{Method, MethodSignature, method_of};

/// The same methods, each with its parameters checked.
///
/// # Errors
/// None in practice: names are distinct already.
pub(crate) fn hold(methods: &Methods) -> Result<Methods, RegisterMethodError> {
    let mut held = Methods::new();
    for name in methods.method_names() {
        let Some(callback) = methods.method(name) else { continue };
        held.verify_and_insert(
            name,
            checked(method_of(name).map(Method::signature), callback.clone()),
        )?;
    }
    Ok(held)
}

fn checked(signature: Option<MethodSignature>, callback: MethodCallback) -> MethodCallback {
    // What ends a subscription has no signature; it takes the subscription's id alone.
    let Some(signature) = signature else { return callback };
    match callback {
        MethodCallback::Sync(call) => {
            MethodCallback::Sync(Arc::new(move |id, params, bytes_max, extensions| match signature
                .check(params.as_str())
            {
                Ok(()) => call(id, params, bytes_max, extensions),
                Err(error) => MethodResponse::error(id, error),
            }))
        }
        MethodCallback::Async(call) => {
            MethodCallback::Async(Arc::new(move |id, params, connection, bytes_max, extensions| {
                match signature.check(params.as_str()) {
                    Ok(()) => call(id, params, connection, bytes_max, extensions),
                    Err(error) => ready(MethodResponse::error(id, error)).boxed(),
                }
            }))
        }
        MethodCallback::Subscription(call) => {
            MethodCallback::Subscription(Arc::new(move |id, params, sink, state, extensions| {
                match signature.check(params.as_str()) {
                    Ok(()) => call(id, params, sink, state, extensions),
                    Err(error) => ready(MethodResponse::error(id, error)).boxed(),
                }
            }))
        }
        unsubscription @ MethodCallback::Unsubscription(_) => unsubscription,
    }
}
