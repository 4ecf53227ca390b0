//! The lists of administrators. Each filter is one that an index answers in the order of its list.

use async_graphql::{ID, InputObject};
use entity::{activity, admin_access, item, job, user, webhook};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select, sea_query::Expr};
use uuid::Uuid;

use crate::{
    app::App,
    error::{Error, Result},
    graphql::{
        activity::ActivityKind,
        admin::{AdminUser, delivery::WebhookStatus, job::JobStatus},
        id,
        item::{LinkStatus, Provider},
        page::{ById, Connection, RawPage, Scope, range},
        user::Role,
    },
    jobs,
    viewer::Viewer,
};

/// The longest address there is.
const LONGEST_SEARCH: usize = 254;

/// Which people; all conditions must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AdminUserFilter {
    /// Whose address begins so. Case does not matter.
    pub search: Option<String>,
    /// Who may do this.
    pub role: Option<Role>,
    /// Whose account is locked, or is not.
    pub locked: Option<bool>,
}

/// Which logins at banks; all conditions must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub(super) struct AdminItemFilter {
    /// Of this person.
    pub(super) user_id: Option<ID>,
    /// Through this provider.
    pub(super) provider: Option<Provider>,
    /// Of this health.
    pub(super) link_status: Option<LinkStatus>,
}

/// Which jobs; all conditions must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub(super) struct JobFilter {
    /// In this state.
    pub(super) status: Option<JobStatus>,
    /// Of this kind, such as `sync.item`.
    pub(super) kind: Option<String>,
}

/// Which webhooks; all conditions must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub(super) struct WebhookDeliveryFilter {
    /// From this provider.
    pub(super) provider: Option<Provider>,
    /// Of which this became.
    pub(super) status: Option<WebhookStatus>,
}

/// Which entries of people's logs; all conditions must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub(super) struct AdminActivityFilter {
    /// Of this person.
    pub(super) user_id: Option<ID>,
    /// Of this kind.
    pub(super) kind: Option<ActivityKind>,
}

/// Which entries of the administrators' log; all conditions must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub(super) struct AdminAccessFilter {
    /// What this administrator did.
    pub(super) admin_id: Option<ID>,
    /// What concerned this person.
    pub(super) user_id: Option<ID>,
}

/// People by their addresses.
pub(super) async fn users(
    app: &App,
    viewer: Viewer,
    filter: AdminUserFilter,
    page: RawPage,
) -> Result<Connection<AdminUser>> {
    let scope = Scope::new(app, viewer, "admin.users");
    let args = page.check(&scope)?;
    let rows = people(filter)?;
    let read = |key: &str| Some(vec![key.to_owned().into()]);
    let rows = range(rows, &[user::Column::EmailKey], false, &args, read)?;
    let rows = rows.all(app.db.read()).await?;
    let page = Connection::new(scope, &args, rows, |row| row.email_key.clone());
    Ok(page.map(AdminUser::from))
}

/// The people of a filter; the caller sorts them by their addresses.
///
/// # Errors
/// `BAD_USER_INPUT` for what no address begins with.
pub fn people(filter: AdminUserFilter) -> Result<Select<user::Entity>> {
    let mut rows = user::Entity::find().filter(user::Column::DeletedAt.is_null());
    if let Some(text) = filter.search {
        let text = text.trim().to_lowercase();
        if text.len() > LONGEST_SEARCH || text.chars().any(char::is_control) {
            let text =
                "`filter.search` is no beginning of an address: write at most 254 characters.";
            return Err(Error::BadInput(text.to_owned()));
        }
        // No address goes on with the last of all characters.
        let end = format!("{text}\u{10ffff}");
        rows = rows
            .filter(user::Column::EmailKey.gte(text))
            .filter(user::Column::EmailKey.lt(end));
    }
    if let Some(role) = filter.role {
        rows = rows.filter(match role {
            Role::Admin => Expr::cust("role = 'admin'"),
            Role::User => user::Column::Role.eq(entity::user::Role::User),
        });
    }
    if let Some(locked) = filter.locked {
        rows = rows.filter(if locked {
            user::Column::LockedAt.is_not_null()
        } else {
            user::Column::LockedAt.is_null()
        });
    }
    Ok(rows)
}

/// Logins at banks, newest first.
pub(super) fn items(app: &App, viewer: Viewer, filter: AdminItemFilter) -> ById<item::Entity> {
    use item::Column as Row;
    let mut rows = item::Entity::find().filter(Row::RemovedAt.is_null());
    if let Some(user_id) = filter.user_id {
        rows = rows.filter(Row::UserId.eq(row(&user_id)));
    }
    if let Some(provider) = filter.provider {
        rows = rows.filter(Row::Provider.eq(item::Provider::from(provider)));
    }
    if let Some(status) = filter.link_status {
        rows = rows.filter(Row::LinkStatus.eq(item::LinkStatus::from(status)));
    }
    newest_first(app, viewer, "admin.items", rows, Row::Id)
}

/// Jobs, newest first.
pub(super) fn jobs(app: &App, viewer: Viewer, filter: &JobFilter) -> Result<ById<job::Entity>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    if !filter.kind.iter().all(|kind| kind.chars().all(plain)) {
        let text =
            "`filter.kind` is no kind of job: write one as `kind` tells it, such as `sync.item`.";
        return Err(Error::BadInput(text.to_owned()));
    }
    let rows = jobs::list(filter.status.map(Into::into), filter.kind.as_deref());
    Ok(newest_first(
        app,
        viewer,
        "admin.jobs",
        rows,
        job::Column::Id,
    ))
}

/// Webhooks, newest first.
pub(super) fn deliveries(
    app: &App,
    viewer: Viewer,
    filter: &WebhookDeliveryFilter,
) -> ById<webhook::Entity> {
    use webhook::{Column as Row, WebhookState};
    let mut rows = webhook::Entity::find();
    if let Some(provider) = filter.provider {
        rows = rows.filter(Row::Provider.eq(item::Provider::from(provider)));
    }
    if let Some(status) = filter.status {
        let state = WebhookState::from(status);
        if state != WebhookState::Applied {
            // The condition of their index, word for word.
            rows = rows.filter(Expr::cust("state <> 'applied'"));
        }
        rows = rows.filter(Row::State.eq(state));
    }
    newest_first(app, viewer, "admin.webhookDeliveries", rows, Row::Id)
}

/// Entries of all people's logs, newest first.
pub(super) fn activity(
    app: &App,
    viewer: Viewer,
    filter: AdminActivityFilter,
) -> ById<activity::Entity> {
    use activity::Column as Row;
    let mut rows = activity::Entity::find();
    if let Some(user_id) = filter.user_id {
        rows = rows.filter(Row::UserId.eq(row(&user_id)));
    }
    if let Some(kind) = filter.kind {
        rows = rows.filter(Row::Kind.eq(activity::ActivityKind::from(kind)));
    }
    newest_first(app, viewer, "admin.activity", rows, Row::Id)
}

/// Entries of the administrators' log, newest first.
pub(super) fn audit_log(
    app: &App,
    viewer: Viewer,
    filter: AdminAccessFilter,
) -> ById<admin_access::Entity> {
    use admin_access::Column as Row;
    let mut rows = admin_access::Entity::find();
    if let Some(admin_id) = filter.admin_id {
        rows = rows.filter(Row::AdminId.eq(row(&admin_id)));
    }
    if let Some(user_id) = filter.user_id {
        rows = rows.filter(Row::UserId.eq(row(&user_id)));
    }
    newest_first(app, viewer, "admin.auditLog", rows, Row::Id)
}

fn newest_first<E: EntityTrait>(
    app: &App,
    viewer: Viewer,
    field: &str,
    rows: Select<E>,
    id: E::Column,
) -> ById<E> {
    ById {
        scope: Scope::new(app, viewer, field),
        rows,
        id,
        newest_first: true,
    }
}

/// The person an id names; what is no person's id names nobody, as an unknown one does.
fn row(user_id: &str) -> Uuid {
    id::decode(id::USER, user_id).unwrap_or_default()
}
