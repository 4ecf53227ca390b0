//! Banks by their names, for people who choose one in the app. The provider searches; what it finds is
//! kept, since the items of these banks will point there.

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
    let (rows, total) = find(app, provider, search, begin..begin + args.limit + 1).await?;
    let rows = keep(app, provider, rows).await?;
    let numbered = rows.into_iter().enumerate();
    let numbered = numbered.map(|(n, row)| (begin + n + 1, row)).collect();
    let page = Connection::new(scope, &args, numbered, |(n, _)| n.to_string());
    let page = page.with_total(Some(total));
    Ok(page.map(|(_, row): (usize, institution::Model)| row.into()))
}

/// The rows of a range, which may lie on two of the provider's pages, and how many there are in all.
async fn find(
    app: &App,
    provider: ProviderKind,
    search: &str,
    range: std::ops::Range<usize>,
) -> Result<(Vec<providers::Institution>, u64)> {
    let login = app.credential_login(provider)?;
    let size = usize::try_from(INSTITUTIONS_PAGE).map_err(Error::internal)?;
    let end = range.end.min(DEEPEST);
    let (mut rows, mut total) = (Vec::new(), 0);
    for number in range.start / size..end.div_ceil(size) {
        let page = u32::try_from(number + 1).map_err(Error::internal)?;
        let found = login.institutions(search, page).await?;
        total = found.total;
        let numbered = found.rows.into_iter().enumerate();
        let wanted = numbered.filter(|(n, _)| range.contains(&(number * size + n)));
        rows.extend(wanted.map(|(_, row)| row));
    }
    Ok((rows, total))
}

/// Writes down what is new among banks; returns the rows of all, in the same order.
pub(super) async fn keep(
    app: &App,
    provider: ProviderKind,
    banks: Vec<providers::Institution>,
) -> Result<Vec<institution::Model>> {
    use institution::Column as Row;
    let fresh = app.clock.now() - FRESH;
    let known = institution::Entity::find()
        .filter(Row::Provider.eq(provider))
        .filter(Row::ProviderInstitutionId.is_in(banks.iter().map(|bank| &bank.institution_id)))
        .all(app.db.read())
        .await?;
    let mut rows = Vec::with_capacity(banks.len());
    let mut txn = None;
    for bank in banks {
        let same = |row: &&institution::Model| row.provider_institution_id == bank.institution_id;
        if let Some(row) = known.iter().find(same).filter(|row| row.updated_at > fresh) {
            rows.push(row.clone());
            continue;
        }
        let txn = match &mut txn {
            Some(txn) => txn,
            none => none.insert(app.db.begin().await?),
        };
        let overwrite = OnConflict::columns([Row::Provider, Row::ProviderInstitutionId])
            .update_columns([
                Row::Name,
                Row::Url,
                Row::LogoUrl,
                Row::Oauth,
                Row::UpdatedAt,
            ])
            .to_owned();
        let row = institution::Entity::insert(row(app, provider, bank))
            .on_conflict(overwrite)
            .exec_with_returning(&**txn)
            .await?;
        rows.push(row);
    }
    if let Some(txn) = txn {
        txn.commit().await?;
    }
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
