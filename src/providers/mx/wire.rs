//! MX's fields, those that are used. Nearly every one may be null, some have other types than the
//! published specification says (`most_recent_job_guid`), so that each is read leniently.
//! <https://github.com/mxenabled/openapi>

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::providers::lenient::Text;

/// Where a page stands. It is required, as every list is: an answer without them is none, and taken for
/// an empty one it would end what is only not told.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Pagination {
    pub(super) total_entries: u64,
    pub(super) total_pages: u32,
}

/// A truth value that may be a text or missing.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(from = "serde_json::Value")]
pub(super) struct Flag(pub(super) bool);

impl From<serde_json::Value> for Flag {
    fn from(json: serde_json::Value) -> Self {
        Self(json.as_bool() == Some(true) || json.as_str() == Some("true"))
    }
}

#[derive(Deserialize)]
pub(super) struct UserGot {
    pub(super) user: User,
}

#[derive(Deserialize)]
pub(super) struct UsersGot {
    pub(super) users: Vec<User>,
}

#[derive(Deserialize)]
pub(super) struct User {
    #[serde(default)]
    pub(super) guid: Text,
    #[serde(default)]
    pub(super) id: Text,
}

#[derive(Serialize)]
pub(super) struct UserCreate<'a> {
    pub(super) user: NewUser<'a>,
}

#[derive(Serialize)]
pub(super) struct NewUser<'a> {
    pub(super) id: &'a str,
}

#[derive(Deserialize)]
pub(super) struct InstitutionGot {
    pub(super) institution: Institution,
}

#[derive(Deserialize)]
pub(super) struct InstitutionsGot {
    pub(super) institutions: Vec<Institution>,
    pub(super) pagination: Pagination,
}

#[derive(Deserialize)]
pub(super) struct Institution {
    #[serde(default)]
    pub(super) code: Text,
    #[serde(default)]
    pub(super) name: Text,
    #[serde(default)]
    pub(super) url: Text,
    #[serde(default)]
    pub(super) medium_logo_url: Text,
    #[serde(default)]
    pub(super) small_logo_url: Text,
    #[serde(default)]
    pub(super) supports_oauth: Flag,
    #[serde(default)]
    pub(super) is_disabled_by_client: Flag,
}

#[derive(Deserialize)]
pub(super) struct CredentialsGot {
    pub(super) credentials: Vec<Credential>,
}

#[derive(Deserialize)]
pub(super) struct Credential {
    #[serde(default)]
    pub(super) guid: Text,
    #[serde(default)]
    pub(super) field_name: Text,
    #[serde(default)]
    pub(super) field_type: Text,
    #[serde(default, rename = "type")]
    pub(super) kind: Text,
    #[serde(default)]
    pub(super) label: Text,
    #[serde(default)]
    pub(super) display_order: Option<i64>,
}

#[derive(Serialize)]
pub(super) struct MemberSent<'a> {
    pub(super) member: NewMember<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_redirect_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) referral_source: Option<&'static str>,
}

#[derive(Default, Serialize)]
pub(super) struct NewMember<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) institution_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) credentials: Option<Vec<Typed<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) challenges: Option<Vec<Typed<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_oauth: Option<bool>,
}

/// What a person typed. Not printable.
#[derive(Serialize)]
pub(super) struct Typed<'a> {
    pub(super) guid: &'a str,
    pub(super) value: &'a str,
}

#[derive(Deserialize)]
pub(super) struct MemberGot {
    pub(super) member: Member,
}

#[derive(Deserialize)]
pub(super) struct MembersGot {
    pub(super) members: Vec<Member>,
    pub(super) pagination: Pagination,
}

#[derive(Default, Deserialize)]
pub(super) struct Member {
    #[serde(default)]
    pub(super) guid: Text,
    #[serde(default)]
    pub(super) id: Text,
    #[serde(default)]
    pub(super) institution_code: Text,
    #[serde(default)]
    pub(super) connection_status: Text,
    #[serde(default)]
    pub(super) connection_status_message: Text,
    #[serde(default)]
    pub(super) is_being_aggregated: Flag,
    #[serde(default)]
    pub(super) oauth_window_uri: Text,
}

#[derive(Deserialize)]
pub(super) struct ChallengesGot<'a> {
    #[serde(default, borrow)]
    pub(super) challenges: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct AccountsGot<'a> {
    #[serde(borrow)]
    pub(super) accounts: Vec<&'a RawValue>,
    pub(super) pagination: Pagination,
}

#[derive(Deserialize)]
pub(super) struct TransactionsGot<'a> {
    #[serde(borrow)]
    pub(super) transactions: Vec<&'a RawValue>,
    pub(super) pagination: Pagination,
}

#[derive(Serialize)]
pub(super) struct WidgetWanted<'a> {
    pub(super) widget_url: Widget<'a>,
}

/// <https://docs.mx.com/connect/guides/>
#[derive(Serialize)]
pub(super) struct Widget<'a> {
    #[serde(rename = "widget_type")]
    pub(super) kind: &'static str,
    pub(super) mode: &'static str,
    pub(super) ui_message_version: u8,
    pub(super) include_transactions: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current_member_guid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_redirect_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) oauth_referral_source: Option<&'static str>,
}

#[derive(Deserialize)]
pub(super) struct WidgetGot {
    pub(super) widget_url: WidgetUrl,
}

#[derive(Deserialize)]
pub(super) struct WidgetUrl {
    #[serde(default)]
    pub(super) url: Text,
}
