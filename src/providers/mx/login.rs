//! Linking by credentials: users, banks and what they ask for, members, answers.

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use super::{
    Mx, SHORT, client::Call, code, guid, institution, linked, listing::PAGE_SIZE, status, wire,
};
use crate::{
    error::{ErrorClass, ProviderError},
    providers::{
        CredentialField, CredentialKind, CredentialLogin, INSTITUTIONS_PAGE, Institutions, Login,
        NewLinked, NewLogin, Secret, http::unanswered, lenient::identifier,
    },
};
use reqwest::StatusCode;

impl Mx {
    /// The user that has this name already.
    async fn known_user(&self, name: &str) -> Result<String, ProviderError> {
        let call = Call::get("users", "/users").with("id", name);
        let got: wire::UsersGot = self.client.call(call).await?.read()?;
        let same = got.users.into_iter().find(|user| user.id.as_str() == name);
        same.and_then(|user| user.guid.0)
            .and_then(identifier)
            .ok_or_else(|| unanswered("malformed", "a user that is there and is not listed"))
    }
}

fn typed(secrets: &[Secret]) -> Vec<wire::Typed<'_>> {
    let each = secrets.iter().map(|secret| wire::Typed {
        guid: &secret.id,
        value: secret.value.expose_secret(),
    });
    each.collect()
}

#[async_trait]
impl CredentialLogin for Mx {
    async fn user(&self, name: &str) -> Result<String, ProviderError> {
        let body = wire::UserCreate {
            user: wire::NewUser { id: name },
        };
        let call = Call::post("create user", "/users").body(&body)?;
        let made = match self.client.call(call).await {
            Ok(answer) => answer.read::<wire::UserGot>()?.user.guid.0,
            Err(error) if error.class == ErrorClass::Conflict => Some(self.known_user(name).await?),
            Err(error) => return Err(error),
        };
        Ok(self.called(&guid(made)?))
    }

    async fn institutions(&self, search: &str, page: u32) -> Result<Institutions, ProviderError> {
        let call = Call::get("institutions", "/institutions")
            .with("name", search)
            .with("page", page.to_string())
            .with("records_per_page", INSTITUTIONS_PAGE.to_string());
        let got: wire::InstitutionsGot = self.client.call(call).await?.read()?;
        let open = |row: &wire::Institution| !row.is_disabled_by_client.0;
        let rows = got.institutions.into_iter();
        Ok(Institutions {
            rows: rows
                .map(|row| Some(row).filter(open).and_then(institution))
                .collect(),
            total: got.pagination.total_entries,
        })
    }

    async fn credential_fields(
        &self,
        institution_id: &str,
    ) -> Result<Vec<CredentialField>, ProviderError> {
        let path = format!("/institutions/{}/credentials", code(institution_id)?);
        let call = Call::get("credentials", path).with("records_per_page", "100");
        let got: wire::CredentialsGot = self.client.call(call).await?.read()?;
        let mut rows = got.credentials;
        rows.sort_by_key(|row| row.display_order.unwrap_or(i64::MAX));
        Ok(rows.into_iter().filter_map(credential_field).collect())
    }

    async fn create(&self, login: &NewLogin) -> Result<NewLinked, ProviderError> {
        let oauth = login.credentials.is_empty();
        let body = wire::MemberSent {
            member: wire::NewMember {
                institution_code: Some(code(&login.institution_id)?),
                id: Some(&login.name),
                credentials: Some(typed(&login.credentials)),
                is_oauth: oauth.then_some(true),
                ..wire::NewMember::default()
            },
            client_redirect_url: login.redirect_uri.as_deref(),
            // A browser is sent to MX's own last page otherwise.
            referral_source: login.redirect_uri.is_some().then_some("APP"),
        };
        let user = self.user_known(&login.provider_user_id)?;
        let path = format!("/users/{user}/members");
        let call = Call::post("create member", path).body(&body)?.secret();
        let made = self
            .client
            .call(call)
            .await?
            .read::<wire::MemberGot>()?
            .member;
        Ok(NewLinked {
            linked: linked(&login.provider_user_id, guid(made.guid.0)?),
            oauth_window: made.oauth_window_uri.0.map(SecretString::from),
        })
    }

    async fn logins(&self, provider_user_id: &str) -> Result<Vec<Login>, ProviderError> {
        let mut all = Vec::new();
        let user = self.user_known(provider_user_id)?;
        for page in 1..=SHORT {
            let path = format!("/users/{user}/members");
            let call = Call::get("members", path)
                .with("page", page.to_string())
                .with("records_per_page", PAGE_SIZE.to_string());
            let got: wire::MembersGot = self.client.call(call).await?.read()?;
            let rows = got.members.into_iter();
            all.extend(rows.filter_map(|member| login(provider_user_id, member)));
            if page >= got.pagination.total_pages {
                return Ok(all);
            }
        }
        // What is not listed would be linked a second time.
        Err(unanswered(
            "endless",
            "members on more pages than anybody has",
        ))
    }

    async fn oauth_window(
        &self,
        access_token: &SecretString,
        redirect_uri: Option<&str>,
    ) -> Result<Option<SecretString>, ProviderError> {
        let member = self.member(access_token)?;
        let path = format!("{}/oauth_window_uri", member.path());
        let mut call = Call::get("oauth_window_uri", path);
        if let Some(uri) = redirect_uri {
            call = call
                .with("client_redirect_url", uri)
                .with("referral_source", "APP");
        }
        let answer = self.client.call(call).await?;
        let uri = answer.read::<wire::MemberGot>()?.member.oauth_window_uri.0;
        Ok(uri.map(SecretString::from))
    }

    async fn update(
        &self,
        access_token: &SecretString,
        credentials: &[Secret],
    ) -> Result<(), ProviderError> {
        let member = self.member(access_token)?;
        let body = wire::MemberSent {
            member: wire::NewMember {
                credentials: Some(typed(credentials)),
                ..wire::NewMember::default()
            },
            client_redirect_url: None,
            referral_source: None,
        };
        let call = Call::put("update member", member.path());
        let call = call.body(&body)?.secret();
        self.client.call(call).await.map(|_| ())
    }

    async fn answer(
        &self,
        access_token: &SecretString,
        answers: &[Secret],
    ) -> Result<(), ProviderError> {
        let member = self.member(access_token)?;
        let body = wire::MemberSent {
            member: wire::NewMember {
                challenges: Some(typed(answers)),
                ..wire::NewMember::default()
            },
            client_redirect_url: None,
            referral_source: None,
        };
        let call = Call::put("resume", format!("{}/resume", member.path()));
        let call = call.body(&body)?.secret();
        self.client.call(call).await.map(|_| ())
    }

    async fn forget(&self, provider_user_id: &str) -> Result<(), ProviderError> {
        let gone = [StatusCode::NOT_FOUND];
        let user = self.user_here(provider_user_id)?;
        let call = Call::delete("delete user", format!("/users/{user}")).or(&gone);
        self.client.call(call).await.map(|_| ())
    }

    async fn refresh(&self, access_token: &SecretString) -> Result<(), ProviderError> {
        let member = self.member(access_token)?;
        // Another job is under way with the member: it is busy, and that is all we want.
        let busy = [StatusCode::CONFLICT];
        let call = Call::post("aggregate", format!("{}/aggregate", member.path())).or(&busy);
        self.client.call(call).await.map(|_| ())
    }
}

/// A member among others. One that cannot be opened costs no other.
fn login(provider_user_id: &str, mut member: wire::Member) -> Option<Login> {
    let guid = guid(member.guid.0.take())
        .inspect_err(|error| tracing::warn!(%error, "a member is left out"))
        .ok()?;
    Some(Login {
        linked: linked(provider_user_id, guid),
        name: member.id.0.take(),
        institution_id: member.institution_code.0.clone(),
        state: status::state(member, Vec::new()),
    })
}

fn credential_field(row: wire::Credential) -> Option<CredentialField> {
    let name = row.field_name.0.unwrap_or_default();
    let kind = row.field_type.0.or(row.kind.0).unwrap_or_default();
    Some(CredentialField {
        id: row.guid.0.and_then(identifier)?,
        label: row.label.0.unwrap_or_else(|| name.clone()),
        name,
        kind: match kind.to_ascii_uppercase().as_str() {
            // Older documents number them.
            "PASSWORD" | "1" => CredentialKind::Password,
            "TEXT" | "LOGIN" | "3" => CredentialKind::Text,
            _ => CredentialKind::Other,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_without_a_guid_costs_no_other() {
        let page = r#"{"members": [{"guid": "MBR-1"}, {"guid": "../users"}, {"id": "x"},
            {"guid": "MBR-2", "id": "y", "institution_code": "mxbank", "connection_status": "DENIED"}],
            "pagination": {"total_entries": 4, "total_pages": 1}}"#;
        let page: wire::MembersGot = serde_json::from_str(page).unwrap();
        let rows = page.members.into_iter();
        let logins: Vec<Login> = rows.filter_map(|row| login("int:USR-1", row)).collect();
        let ids = logins.iter().map(|login| &login.linked.provider_item_id);
        assert_eq!(ids.collect::<Vec<_>>(), ["MBR-1", "MBR-2"]);
        let fault = logins[1].state.fault.as_ref();
        assert_eq!(fault.map(|fault| fault.code.as_str()), Some("DENIED"));
        assert_eq!(logins[1].institution_id.as_deref(), Some("mxbank"));
    }
}
