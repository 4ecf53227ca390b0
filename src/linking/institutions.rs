//! Banks by their names, for people who choose one in the app. The provider searches; what it finds is
//! kept, since the items of these banks will point there.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use entity::institution;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};
use uuid::Uuid;

use crate::{
    app::App,
    error::{Error, Result},
    graphql::{
        institution::Institution,
        page::{Connection, RawPage, Scope},
    },
    providers::{self, INSTITUTIONS_PAGE, ProviderKind},
    viewer::Viewer,
};

/// Names and logos change seldom.
const FRESH: TimeDelta = TimeDelta::days(1);
/// Longest text that is searched for, in characters.
const SEARCH_MAX: usize = 100;
/// The last row a search leads to: who has not found a bank by then wants another search.
const DEEPEST: usize = 1_000;

/// A page of the banks whose names have a text in them.
pub(super) async fn institutions(
    app: &App,
    viewer: Viewer,
    provider: ProviderKind,
    search: &str,
    page: RawPage,
) -> Result<Connection<Institution>> {
    let search = search.trim();
    if search.is_empty() || search.chars().count() > SEARCH_MAX {
        return Err(Error::BadInput(format!(
            "`search` has to have 1 to {SEARCH_MAX} characters."
        )));
    }
    let scope = Scope::new(app, viewer, &format!("institutions {search}"));
    let args = page.check(&scope)?;
    let begin = match &args.after {
        Some(key) => key.parse::<usize>().map_err(Error::internal)?,
        None => 0,
    };
    let found = find(app, provider, search, begin, args.limit + 1).await?;
    let (places, rows): (Vec<usize>, Vec<_>) = found.rows.into_iter().unzip();
    let rows = keep(app, provider, rows).await?;
    let numbered = places.into_iter().zip(rows).collect();
    let page = Connection::new(scope, &args, numbered, |(n, _)| n.to_string());
    let page = page.with_total(found.total);
    Ok(page.map(|(_, row): (usize, institution::Model)| row.into()))
}

/// What was found.
#[derive(Default)]
struct Found {
    /// The banks, each with its place in the provider's list, from 1.
    rows: Vec<(usize, providers::Institution)>,
    /// How many can be linked, if all were read.
    total: Option<u64>,
}

/// The next so many banks behind a place in the provider's list. Some there cannot be linked, so it is read
/// on until there are enough.
async fn find(
    app: &App,
    provider: ProviderKind,
    search: &str,
    begin: usize,
    wanted: usize,
) -> Result<Found> {
    let login = app.credential_login(provider)?;
    let size = usize::try_from(INSTITUTIONS_PAGE).map_err(Error::internal)?;
    let mut found = Found::default();
    let mut read = begin / size * size;
    while found.rows.len() < wanted && read < DEEPEST {
        let page = u32::try_from(read / size + 1).map_err(Error::internal)?;
        let told = login.institutions(search, page).await?;
        let all = usize::try_from(told.total).map_err(Error::internal)?;
        if all <= size {
            let open = told.rows.iter().flatten().count();
            found.total = u64::try_from(open).ok();
        }
        let placed = (read + 1..).zip(told.rows);
        let open = placed.filter_map(|(place, row)| Some((place, row?)));
        found.rows.extend(open.filter(|(place, _)| *place > begin));
        read += size;
        if read >= all {
            break;
        }
    }
    found.rows.truncate(wanted);
    Ok(found)
}

/// Writes down what is new among banks; returns the rows of all, in the same order.
pub(super) async fn keep(
    app: &App,
    provider: ProviderKind,
    banks: Vec<providers::Institution>,
) -> Result<Vec<institution::Model>> {
    use institution::Column as Row;
    let fresh = app.clock.now() - FRESH;
    let codes: Vec<String> = banks
        .iter()
        .map(|bank| bank.institution_id.clone())
        .collect();
    let known = institution::Entity::find()
        .filter(Row::Provider.eq(provider))
        .filter(Row::ProviderInstitutionId.is_in(&codes))
        .filter(Row::UpdatedAt.gt(fresh))
        .all(app.db.read())
        .await?;
    let mut rows: HashMap<String, institution::Model> = by_code(known).collect();
    // In one order, so that of two who write down the same banks one waits for the other.
    let news: BTreeMap<String, _> = banks
        .into_iter()
        .filter(|bank| !rows.contains_key(&bank.institution_id))
        .map(|bank| (bank.institution_id.clone(), bank))
        .collect();
    if !news.is_empty() {
        rows.extend(by_code(write(app, provider, news.into_values()).await?));
    }
    Ok(codes
        .iter()
        .filter_map(|code| rows.get(code).cloned())
        .collect())
}

fn by_code(rows: Vec<institution::Model>) -> impl Iterator<Item = (String, institution::Model)> {
    let rows = rows.into_iter();
    rows.map(|row| (row.provider_institution_id.clone(), row))
}

/// Writes banks down, new ones and known ones.
async fn write(
    app: &App,
    provider: ProviderKind,
    banks: impl Iterator<Item = providers::Institution>,
) -> Result<Vec<institution::Model>> {
    use institution::Column as Row;
    let overwrite = OnConflict::columns([Row::Provider, Row::ProviderInstitutionId])
        .update_columns([
            Row::Name,
            Row::Url,
            Row::LogoUrl,
            Row::Oauth,
            Row::UpdatedAt,
        ])
        .to_owned();
    let rows: Vec<_> = banks.map(|bank| row(app, provider, bank)).collect();
    let txn = app.db.begin().await?;
    let rows = institution::Entity::insert_many(rows)
        .on_conflict(overwrite)
        .exec_with_returning(&*txn)
        .await?;
    txn.commit().await?;
    Ok(rows)
}

fn row(
    app: &App,
    provider: ProviderKind,
    bank: providers::Institution,
) -> institution::ActiveModel {
    institution::ActiveModel {
        id: Set(Uuid::now_v7()),
        provider: Set(provider),
        provider_institution_id: Set(bank.institution_id),
        name: Set(bank.name),
        url: Set(bank.url),
        primary_color: Set(bank.primary_color),
        logo: Set(bank.logo),
        logo_url: Set(bank.logo_url),
        oauth: Set(bank.oauth),
        updated_at: Set(app.clock.now()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::everywhere;

    fn bank(number: usize) -> providers::Institution {
        providers::Institution {
            institution_id: format!("bank_{number}"),
            name: format!("Bank {number}"),
            url: None,
            primary_color: None,
            logo: None,
            logo_url: None,
            oauth: false,
        }
    }

    #[tokio::test]
    async fn new_banks_are_written_at_once_and_come_back_in_the_order_they_were_found() {
        everywhere(async |app| {
            let mut codes = vec![7, 3, 9, 1, 3];
            codes.extend(10..105);
            app.take_statements();
            for _ in 0..2 {
                let banks = codes.iter().map(|number| bank(*number)).collect();
                let rows = keep(app, ProviderKind::Mx, banks).await.unwrap();
                let kept = rows.iter().map(|row| row.provider_institution_id.clone());
                let wanted = codes.iter().map(|number| format!("bank_{number}"));
                assert!(kept.eq(wanted));
            }
            let statements = app.take_statements();
            let inserts = statements
                .iter()
                .filter(|statement| statement.sql.contains("INSERT"));
            assert_eq!(inserts.count(), 1);
        })
        .await;
    }
}
