//! What administrators see of people and of the server's work. These are views of their own, with as much as
//! it takes to help and no more: no account, balance, transaction, token, name, birthday or body of a webhook
//! has a field here. They name people and items by `userId` and `itemId` and are no nodes, so that a client's
//! cache never mixes them with a person's own objects.

pub mod access;
pub mod activity;
pub mod delivery;
pub mod item;
pub mod job;
pub mod loaders;
pub mod user;

pub use access::AdminAccess;
pub use activity::AdminActivity;
pub use delivery::WebhookDelivery;
pub use item::AdminItem;
pub use job::Job;
pub use user::AdminUser;
