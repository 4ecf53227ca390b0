//! Recovery codes: ten, each for one sign-in, for whoever has lost her authenticator app.

use aws_lc_rs::rand;
use chrono::{DateTime, Utc};
use data_encoding::BASE32_NOPAD;
use entity::recovery_code;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    database::Txn,
    error::{Error, Result},
    seal::sha256_hex,
};

const CODES: usize = 10;
/// 80 bits, sixteen letters.
const BYTES: usize = 10;

/// Makes new codes in the place of the old ones.
pub(super) async fn replace(txn: &Txn, user_id: Uuid) -> Result<Vec<String>> {
    remove(txn, user_id).await?;
    let mut codes = Vec::with_capacity(CODES);
    for _ in 0..CODES {
        let mut bytes = [0; BYTES];
        rand::fill(&mut bytes).map_err(Error::internal)?;
        codes.push(BASE32_NOPAD.encode(&bytes).to_lowercase());
    }
    let rows = codes.iter().map(|code| recovery_code::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(user_id),
        code_hash: Set(hash(user_id, code)),
        used_at: Set(None),
    });
    recovery_code::Entity::insert_many(rows)
        .exec_without_returning(&**txn)
        .await?;
    Ok(codes.iter().map(|code| grouped(code)).collect())
}

/// Takes all codes of a person away.
pub(super) async fn remove(txn: &Txn, user_id: Uuid) -> Result<()> {
    recovery_code::Entity::delete_many()
        .filter(recovery_code::Column::UserId.eq(user_id))
        .exec(&**txn)
        .await?;
    Ok(())
}

/// Uses a code up; how many are left, if it was one.
pub(super) async fn spend(
    txn: &Txn,
    user_id: Uuid,
    code: &str,
    now: DateTime<Utc>,
) -> Result<Option<u64>> {
    let unused = recovery_code::Column::UsedAt.is_null();
    let spent = recovery_code::Entity::update_many()
        .col_expr(recovery_code::Column::UsedAt, Expr::value(now))
        .filter(recovery_code::Column::UserId.eq(user_id))
        .filter(recovery_code::Column::CodeHash.eq(hash(user_id, &plain(code))))
        .filter(unused.clone())
        .exec(&**txn)
        .await?;
    if spent.rows_affected == 0 {
        return Ok(None);
    }
    let left = recovery_code::Entity::find()
        .filter(recovery_code::Column::UserId.eq(user_id))
        .filter(unused);
    Ok(Some(left.count(&**txn).await?))
}

/// Whether this is meant to be a recovery code.
pub(super) fn is_like(code: &str) -> bool {
    plain(code).len() == 16
}

/// As it is shown: in groups of four.
fn grouped(code: &str) -> String {
    let mut text = String::new();
    for (at, letter) in code.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push('-');
        }
        text.push(letter);
    }
    text
}

/// As it is hashed, however it was typed.
fn plain(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    letters.take(64).collect::<String>().to_ascii_lowercase()
}

fn hash(user_id: Uuid, code: &str) -> String {
    sha256_hex(&[user_id.as_bytes(), code.as_bytes()].concat())
}
