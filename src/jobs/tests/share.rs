//! Which jobs are taken where banks have their share.

use super::{ask, change, room};
use crate::{app::testing::everywhere, jobs::take::take};

#[tokio::test]
async fn a_crowded_bank_is_passed_over_and_the_oldest_of_the_others_come_first() {
    everywhere(async |app| {
        for (n, (who, bank)) in [
            ("ana", "a"),
            ("bob", "a"),
            ("cleo", "b"),
            ("dora", ""),
            ("eva", "c"),
            ("finn", "b"),
        ]
        .into_iter()
        .enumerate()
        {
            ask(app, who, bank).await;
            change(
                app,
                &format!("UPDATE jobs SET run_at = {} WHERE key = '{who}'", 10 - n),
            )
            .await;
        }
        let mut taken = Vec::new();
        for limit in [2, 9, 9] {
            let rows = take(app, 7, &room(limit, &["a", "z"])).await.unwrap();
            let mut keys: Vec<_> = rows.into_iter().map(|row| row.key).collect();
            keys.sort();
            taken.push(keys);
        }
        assert_eq!(taken, [vec!["eva", "finn"], vec!["cleo", "dora"], vec![]]);
        let rest = take(app, 7, &room(9, &[])).await.unwrap();
        assert_eq!(rest.len(), 2);
    })
    .await;
}
