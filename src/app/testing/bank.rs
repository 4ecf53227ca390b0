//! A bank in the test's own process: one account, three transactions on two pages, and items made by
//! exchanging their id. What takes a person or a signature is for the sandbox.

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::NaiveDate;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    error::ProviderError,
    providers::{
        Account, AccountKind, Delivery, Institution, ItemState, LinkRequest, LinkResult, LinkToken,
        Linked, Notice, Page, Provider, Readiness, Subject, TokenExchange, Transaction,
        WebhookRefusal,
    },
};

/// The bank.
#[derive(Debug)]
pub(crate) struct SmallBank;

const ACCOUNT: &str = "checking";

#[async_trait]
impl Provider for SmallBank {
    async fn create_link_token(&self, _: &LinkRequest) -> Result<LinkToken, ProviderError> {
        unreachable!()
    }

    async fn item(&self, _: &SecretString) -> Result<ItemState, ProviderError> {
        Ok(ItemState {
            institution_id: Some("ins_1".to_owned()),
            ..ItemState::default()
        })
    }

    async fn institution(&self, id: &str) -> Result<Institution, ProviderError> {
        Ok(Institution {
            institution_id: id.to_owned(),
            name: "Small Bank".to_owned(),
            url: None,
            primary_color: None,
            logo: None,
            logo_url: None,
            oauth: false,
        })
    }

    async fn accounts(&self, _: &SecretString) -> Result<Vec<Account>, ProviderError> {
        Ok(vec![Account {
            provider_account_id: ACCOUNT.to_owned(),
            name: "Checking".to_owned(),
            official_name: None,
            mask: None,
            kind: AccountKind::Depository,
            subtype: None,
            currency: None,
            current: None,
            available: None,
            limit: None,
            balances_at: None,
            closed: false,
        }])
    }

    async fn changes(&self, _: &SecretString, cursor: Option<&str>) -> Result<Page, ProviderError> {
        let more = cursor != Some("page");
        let (upserts, removed) = if more {
            (vec![row("one"), row("two")], Vec::new())
        } else {
            (vec![row("three")], vec!["two".to_owned()])
        };
        Ok(Page {
            upserts,
            removed,
            rejected: 0,
            unreadable: Vec::new(),
            next_cursor: Some(if more { "page" } else { "end" }.to_owned()),
            has_more: more,
            readiness: Readiness::Complete,
            listing: None,
        })
    }

    async fn remove(&self, _: &SecretString) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn verify_webhook(&self, _: &HeaderMap, _: &[u8]) -> Result<Delivery, WebhookRefusal> {
        unreachable!()
    }

    fn read_webhook(&self, _: &[u8]) -> Result<Delivery, WebhookRefusal> {
        Ok(Delivery {
            delivery_key: "again".to_owned(),
            code: "TEST".to_owned(),
            subject: Subject::Nothing,
            provider_user_id: None,
            notice: Notice::Look,
        })
    }

    fn token_exchange(&self) -> Option<&dyn TokenExchange> {
        Some(self)
    }
}

#[async_trait]
impl TokenExchange for SmallBank {
    async fn link_results(&self, _: &SecretString) -> Result<Vec<LinkResult>, ProviderError> {
        unreachable!()
    }

    async fn exchange(&self, public_token: &SecretString) -> Result<Linked, ProviderError> {
        Ok(Linked {
            provider_item_id: public_token.expose_secret().to_owned(),
            access_token: "access".into(),
        })
    }
}

fn row(id: &str) -> Transaction {
    Transaction {
        provider_transaction_id: id.to_owned(),
        provider_pending_id: Some(format!("{id}-pending")),
        provider_account_id: ACCOUNT.to_owned(),
        amount: 1.into(),
        currency: Some("USD".to_owned()),
        date: NaiveDate::default(),
        authorized_date: None,
        datetime: None,
        name: id.to_owned(),
        merchant_name: None,
        category_primary: None,
        category_detailed: None,
        pending: false,
        payment_channel: None,
        location: None,
        counterparties: None,
    }
}
