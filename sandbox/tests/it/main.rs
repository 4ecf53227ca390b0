//! The sandbox as its callers see it: over HTTP, from the first link token to the last webhook.

#[cfg(test)]
mod support;

#[cfg(test)]
mod alphavantage;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod hosted;
#[cfg(test)]
mod item_state;
#[cfg(test)]
mod mx;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod remembering;
#[cfg(test)]
mod sync;
#[cfg(test)]
mod webhooks;
