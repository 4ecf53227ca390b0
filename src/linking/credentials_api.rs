//! What the API offers of linking by credentials, which an app asks for itself.

#![expect(
    clippy::too_many_arguments,
    reason = "a connection has arguments of its own"
)]

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use secrecy::{ExposeSecret, SecretString};

use super::{
    credentials::secrets,
    institutions,
    link_institution::{Order, Ordered, link_institution},
    sign_in::{By, SigningIn, answer_challenge, update_credentials},
};
use crate::{
    error::Result,
    graphql::{
        ContextExt,
        errors::{UserError, settle},
        institution::Institution,
        item::{Item, Provider},
        page::{Connection, RawPage, cost},
        sync_job::SyncJob,
    },
};

/// Queries of linking.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkingQuery;

/// Mutations of linking by credentials.
#[derive(Debug, Default)]
pub struct CredentialsMutation;

/// Something a person typed for her bank. It goes to the provider at once and is not kept.
#[derive(InputObject)]
pub(super) struct CredentialInput {
    /// The `id` of one of the bank's `credentialFields`.
    pub field_id: ID,
    /// What the person typed.
    pub value: String,
}

/// A bank to link, and what the person typed to sign in there.
#[derive(InputObject)]
pub(super) struct LinkInstitutionInput {
    /// Who shall connect the bank.
    #[graphql(default_with = "Provider::Mx")]
    pub provider: Provider,
    /// The bank's `code`, as `institutions` tells it.
    pub institution_code: String,
    /// A value for each of the bank's `credentialFields`; none for a bank whose `oauth` is true.
    pub credentials: Vec<CredentialInput>,
    /// Where a bank's own sign-in page sends the browser back to. Must be registered with the server.
    pub redirect_uri: Option<String>,
    /// A key of your own, 1 to 200 characters: the same key always gives the same answer.
    pub idempotency_key: Option<String>,
}

/// What came of linking a bank.
#[derive(Default, SimpleObject)]
pub(super) struct LinkInstitutionPayload {
    /// The bank that is being linked. Follow it with `itemUpdated`: it is `PROCESSING` until the bank
    /// has let us in, and it may ask for something in `requiredAction`.
    pub item: Option<Item>,
    /// Its first sync, which ends when its transactions are here or something is asked.
    pub sync_job: Option<SyncJob>,
    /// The login was linked before: this is it, and nothing new was made.
    pub existing_item: Option<Item>,
    /// Where the person signs in, if the bank has a page of its own. Half an hour later it is too late.
    pub oauth_window_url: Option<String>,
    /// What kept the bank from being linked; empty on success.
    pub user_errors: Vec<UserError>,
}

/// New credentials for a bank.
#[derive(InputObject)]
pub(super) struct UpdateCredentialsInput {
    /// The item.
    pub item_id: ID,
    /// A value for each of the bank's `credentialFields`.
    pub credentials: Vec<CredentialInput>,
}

/// What came of new credentials.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct UpdateCredentialsPayload {
    /// The item, which is being signed in to. Follow it with `itemUpdated`.
    pub item: Option<Item>,
    /// The sync that follows it.
    pub sync_job: Option<SyncJob>,
    /// What kept the credentials from being tried; empty on success.
    pub user_errors: Vec<UserError>,
}

/// An answer to something a bank asks. It goes to the provider at once and is not kept.
#[derive(InputObject)]
pub(super) struct ChallengeAnswerInput {
    /// The `id` of the challenge.
    pub challenge_id: ID,
    /// What the person typed, or the `value` of the option they chose.
    pub value: String,
}

/// Answers to what a bank asks.
#[derive(InputObject)]
pub(super) struct AnswerChallengeInput {
    /// The item.
    pub item_id: ID,
    /// An answer for each of the challenges.
    pub answers: Vec<ChallengeAnswerInput>,
}

/// What came of answers.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct AnswerChallengePayload {
    /// The item, which is being signed in to. Follow it with `itemUpdated`: the bank may ask again.
    pub item: Option<Item>,
    /// The sync that follows it.
    pub sync_job: Option<SyncJob>,
    /// What kept the answers from being given; empty on success.
    pub user_errors: Vec<UserError>,
}

/// What can be linked.
#[Object]
impl LinkingQuery {
    /// Banks whose names have a text in them, for an app that lets people choose one itself and calls
    /// `linkInstitution`. Banks that Plaid connects are chosen in Link or on the hosted page. `totalCount` is
    /// null where the provider finds more than a hundred: some of them cannot be linked.
    #[graphql(complexity = "cost(first, None, child_complexity)")]
    async fn institutions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who connects them.")] provider: Provider,
        #[graphql(desc = "The text: 1 to 100 characters.")] search: String,
        #[graphql(desc = "How many: 1 to 100, 20 if absent.")] first: Option<i32>,
        #[graphql(desc = "Begin after the bank with this cursor.")] after: Option<String>,
    ) -> Result<Connection<Institution>> {
        let viewer = ctx.viewer()?;
        let page = RawPage {
            first,
            after,
            ..RawPage::default()
        };
        institutions::institutions(ctx.app(), viewer, provider.into(), &search, page).await
    }
}

#[Object]
impl CredentialsMutation {
    /// Links a bank with what a person typed in your app. It answers as soon as the provider has taken
    /// it; the rest is told by the item. Asking again with the same key gives the same answer.
    async fn link_institution(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The bank, and what the person typed.")] input: LinkInstitutionInput,
    ) -> Result<LinkInstitutionPayload> {
        let user_id = ctx.viewer()?.user_id;
        let ordered = async {
            let order = Order {
                user_id,
                provider: input.provider.into(),
                institution_code: input.institution_code,
                credentials: secrets("credentials", "fieldId", typed(input.credentials))?,
                redirect_uri: input.redirect_uri,
                idempotency_key: input.idempotency_key,
                client: ctx.client(),
            };
            link_institution(ctx.app(), order).await
        };
        let payload = ordered.await.map(LinkInstitutionPayload::from);
        settle(payload, |user_errors| LinkInstitutionPayload {
            user_errors,
            ..Default::default()
        })
    }

    /// Replaces what a person has typed for a bank, and has it signed in to again.
    async fn update_credentials(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item, and what the person typed.")] input: UpdateCredentialsInput,
    ) -> Result<UpdateCredentialsPayload> {
        let viewer = ctx.viewer()?;
        let signing_in = async {
            let typed = secrets("credentials", "fieldId", typed(input.credentials))?;
            let by = By::of(viewer, ctx.client());
            update_credentials(ctx.app(), by, &input.item_id, typed).await
        };
        let payload =
            signing_in
                .await
                .map(|SigningIn { item, sync_job }| UpdateCredentialsPayload {
                    item: Some(item.into()),
                    sync_job: sync_job.map(SyncJob::from),
                    user_errors: Vec::new(),
                });
        settle(payload, |user_errors| UpdateCredentialsPayload {
            user_errors,
            ..Default::default()
        })
    }

    /// Answers what a bank asks, as `requiredAction` told it. A wrong answer is told by the item.
    async fn answer_challenge(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item, and the answers.")] input: AnswerChallengeInput,
    ) -> Result<AnswerChallengePayload> {
        let viewer = ctx.viewer()?;
        let signing_in = async {
            let answers = input.answers.into_iter();
            let typed = answers.map(|answer| (answer.challenge_id.0, answer.value.into()));
            let answers = secrets("answers", "challengeId", typed.collect())?;
            let by = By::of(viewer, ctx.client());
            answer_challenge(ctx.app(), by, &input.item_id, answers).await
        };
        let payload = signing_in
            .await
            .map(|SigningIn { item, sync_job }| AnswerChallengePayload {
                item: Some(item.into()),
                sync_job: sync_job.map(SyncJob::from),
                user_errors: Vec::new(),
            });
        settle(payload, |user_errors| AnswerChallengePayload {
            user_errors,
            ..Default::default()
        })
    }
}

/// What a person typed, as secrets from here on.
fn typed(credentials: Vec<CredentialInput>) -> Vec<(String, SecretString)> {
    let credentials = credentials.into_iter();
    let pairs = credentials.map(|credential| (credential.field_id.0, credential.value.into()));
    pairs.collect()
}

impl From<Ordered> for LinkInstitutionPayload {
    fn from(ordered: Ordered) -> Self {
        let item: Item = ordered.item.into();
        let (item, existing_item) = if ordered.existing {
            (None, Some(item))
        } else {
            (Some(item), None)
        };
        Self {
            item,
            existing_item,
            sync_job: ordered.sync_job.map(SyncJob::from),
            oauth_window_url: ordered
                .oauth_window
                .map(|url| url.expose_secret().to_owned()),
            user_errors: Vec::new(),
        }
    }
}
