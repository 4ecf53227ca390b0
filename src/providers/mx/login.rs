//! Linking by credentials: users, banks and what they ask for, members, answers.

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use super::{Member, Mx, client::Call, code, guid, institution, linked, listing::PAGE_SIZE, wire};
use crate::{
    error::{ErrorClass, ProviderError},
    providers::{
        CredentialField, CredentialKind, CredentialLogin, INSTITUTIONS_PAGE, Institutions, Login,
        NewLinked, NewLogin, Secret, http::unanswered, lenient::identifier,
    },
};
use reqwest::StatusCode;

/// Pages of a listing that is short by nature: beyond that it is a fault.
const SHORT: u32 = 20;

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
        guid(made)
    }

    async fn institutions(&self, search: &str, page: u32) -> Result<Institutions, ProviderError> {
        let call = Call::get("institutions", "/institutions")
            .with("name", search)
            .with("page", page.to_string())
            .with("records_per_page", INSTITUTIONS_PAGE.to_string());
        let got: wire::InstitutionsGot = self.client.call(call).await?.read()?;
        let open = |row: &wire::Institution| !row.is_disabled_by_client.0;
        Ok(Institutions {
            rows: got
                .institutions
                .into_iter()
                .filter(open)
                .filter_map(institution)
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
        let path = format!("/users/{}/members", login.provider_user_id);
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
        for page in 1..=SHORT {
            let path = format!("/users/{provider_user_id}/members");
            let call = Call::get("members", path)
                .with("page", page.to_string())
                .with("records_per_page", PAGE_SIZE.to_string());
            let got: wire::MembersGot = self.client.call(call).await?.read()?;
            for member in got.members {
                all.push(Login {
                    linked: linked(provider_user_id, guid(member.guid.0)?),
                    name: member.id.0,
                    institution_id: member.institution_code.0,
                });
            }
            if page >= got.pagination.total_pages {
                break;
            }
        }
        Ok(all)
    }

    async fn oauth_window(
        &self,
        access_token: &SecretString,
    ) -> Result<Option<SecretString>, ProviderError> {
        let member = Member::of(access_token)?;
        let path = format!("{}/oauth_window_uri", member.path());
        let answer = self
            .client
            .call(Call::get("oauth_window_uri", path))
            .await?;
        let uri = answer.read::<wire::MemberGot>()?.member.oauth_window_uri.0;
        Ok(uri.map(SecretString::from))
    }

    async fn update(
        &self,
        access_token: &SecretString,
        credentials: &[Secret],
    ) -> Result<(), ProviderError> {
        let member = Member::of(access_token)?;
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
        let member = Member::of(access_token)?;
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
        let call = Call::delete("delete user", format!("/users/{provider_user_id}")).or(&gone);
        self.client.call(call).await.map(|_| ())
    }

    async fn refresh(&self, access_token: &SecretString) -> Result<(), ProviderError> {
        let member = Member::of(access_token)?;
        // Another job is under way with the member: it is busy, and that is all we want.
        let busy = [StatusCode::CONFLICT];
        let call = Call::post("aggregate", format!("{}/aggregate", member.path())).or(&busy);
        self.client.call(call).await.map(|_| ())
    }
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
