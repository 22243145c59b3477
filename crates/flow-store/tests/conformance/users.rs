//! Users, their tokens and sessions, and the DAGs that are not there for everyone.

use flow_core::dag::DagAccess;
use flow_store::{
    DagFilter, ImportErrorFilter, NewToken, NewUser, Order, Page, Pattern, StoreError, User, UserChange, UserOrder,
};

use crate::{
    support::both,
    world::{World, at},
};

const ALL: Page = Page { limit: 100, offset: 0 };

impl World {
    async fn user(&self, name: &str, role: &str) -> User {
        let mut tx = self.store.begin().await.unwrap();
        tx.add_user(&NewUser { name, role, password: "hash", is_active: true }, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        self.store.user(name).await.unwrap().unwrap()
    }

    async fn change(&self, user: &User, change: UserChange<'_>) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await.unwrap();
        tx.change_user(user, &change, at(5)).await?;
        tx.commit().await
    }

    async fn remove(&self, user: &User) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await.unwrap();
        tx.delete_user(user).await?;
        tx.commit().await
    }

    async fn token(&self, user: &User, hash: &str, expires_at: Option<u64>) -> i64 {
        let mut tx = self.store.begin().await.unwrap();
        let token = NewToken { user: user.id, name: "ci", hash, prefix: "flow_abc", expires_at: expires_at.map(at) };
        let id = tx.add_token(&token, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn session(&self, user: &User, hash: &str, now: u64) {
        let mut tx = self.store.begin().await.unwrap();
        tx.add_session(hash, user.id, at(now + 100), at(now)).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn token_is_good(&self, hash: &str, now: u64) -> bool {
        self.store.token_holder(hash, at(now)).await.unwrap().is_some()
    }

    async fn session_is_good(&self, hash: &str, now: u64) -> bool {
        self.store.session_holder(hash, at(now - 10), at(now)).await.unwrap().is_some()
    }
}

fn is_conflict(result: &Result<(), StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict(_)))
}

both! {
    async fn a_name_is_taken_whatever_its_case(w: World) {
        let ada = w.user("Ada", "Op").await;
        assert_eq!((ada.role.as_str(), ada.is_active, ada.created_at, ada.last_login_at), ("Op", true, at(1).as_micros(), None));
        let mut tx = w.store.begin().await.unwrap();
        let again = tx.add_user(&NewUser { name: "ada", role: "Admin", password: "x", is_active: true }, at(2)).await;
        assert!(matches!(again, Err(StoreError::Conflict(_))));
        drop(tx);
        assert_eq!(w.store.user("ada").await.unwrap(), None, "a name is written as it is");
        assert_eq!(w.store.user("a\0da").await.unwrap(), None);
        assert_eq!(w.store.password_of(ada.id).await.unwrap().as_deref(), Some("hash"));
    }

    async fn the_first_user_is_made_once_however_many_try(w: World) {
        assert!(!w.store.has_users().await.unwrap());
        let first = async |password: &'static str| {
            let mut tx = w.store.begin().await.unwrap();
            let made = tx.add_first_user(&NewUser { name: "admin", role: "Admin", password, is_active: true }, at(1)).await.unwrap();
            tx.commit().await.unwrap();
            made
        };
        let (a, b, c) = tokio::join!(first("a"), first("b"), first("c"));
        assert_eq!([a, b, c].iter().flatten().count(), 1);
        assert_eq!(w.count("account", "TRUE").await, 1);
        assert!(w.store.has_users().await.unwrap());
        w.meddle("UPDATE account SET name = 'root', folded = 'root'").await;
        assert_eq!(first("d").await, None, "not when there is another");
    }

    async fn the_only_admin_who_can_log_in_stays(w: World) {
        let (ada, eve) = (w.user("ada", "Admin").await, w.user("eve", "Viewer").await);
        for change in [UserChange { role: Some("Op"), ..UserChange::default() }, UserChange { is_active: Some(false), ..UserChange::default() }] {
            assert!(is_conflict(&w.change(&ada, change).await));
        }
        assert!(is_conflict(&w.remove(&ada).await));
        w.change(&ada, UserChange { role: Some("Admin"), password: Some("new"), is_active: Some(true) }).await.unwrap();
        w.change(&eve, UserChange { role: Some("Admin"), ..UserChange::default() }).await.unwrap();
        w.change(&eve, UserChange { is_active: Some(false), ..UserChange::default() }).await.unwrap();
        assert!(is_conflict(&w.remove(&ada).await), "one who may not log in does not count");
        w.change(&eve, UserChange { is_active: Some(true), ..UserChange::default() }).await.unwrap();
        w.remove(&ada).await.unwrap();
        assert!(matches!(w.remove(&ada).await, Err(StoreError::NotFound { .. })));
        assert!(is_conflict(&w.remove(&eve).await));
    }

    async fn two_admins_who_remove_each_other_leave_one(w: World) {
        let (ada, eve) = (w.user("ada", "Admin").await, w.user("eve", "Admin").await);
        let (a, b) = tokio::join!(w.remove(&ada), w.remove(&eve));
        assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|done| **done).count(), 1);
        assert_eq!(w.count("account", "TRUE").await, 1);
    }

    async fn tokens_end_with_time_by_hand_and_with_their_user(w: World) {
        let ada = w.user("ada", "Op").await;
        w.user("root", "Admin").await;
        let id = w.token(&ada, "h1", Some(50)).await;
        w.token(&ada, "h2", None).await;
        let holder = w.store.token_holder("h1", at(49)).await.unwrap().unwrap();
        assert_eq!((holder.id, holder.user.as_str(), holder.role.as_str(), holder.last_used_at), (id, "ada", "Op", None));
        assert!(!w.token_is_good("h1", 50).await && !w.token_is_good("h", 1).await && !w.token_is_good("h11", 1).await);
        let mut tx = w.store.begin().await.unwrap();
        tx.token_used(id, at(7)).await.unwrap();
        assert!(tx.revoke_token(id, at(8)).await.unwrap() && !tx.revoke_token(id, at(9)).await.unwrap());
        tx.commit().await.unwrap();
        assert!(!w.token_is_good("h1", 9).await && w.token_is_good("h2", u64::from(u32::MAX)).await);
        let token = w.store.token(id).await.unwrap().unwrap();
        assert_eq!((token.last_used_at, token.revoked_at), (Some(at(7).as_micros()), Some(at(8).as_micros())));
        assert_eq!(w.store.list_tokens(Some("ada"), ALL).await.unwrap().total, 2);
        assert_eq!(w.store.list_tokens(Some("root"), ALL).await.unwrap().total, 0);

        w.change(&ada, UserChange { is_active: Some(false), ..UserChange::default() }).await.unwrap();
        assert!(!w.token_is_good("h2", 9).await, "their user may not log in");
        w.change(&ada, UserChange { is_active: Some(true), role: Some("Viewer"), ..UserChange::default() }).await.unwrap();
        assert_eq!(w.store.token_holder("h2", at(9)).await.unwrap().unwrap().role, "Viewer", "as they are now");
        w.change(&ada, UserChange { password: Some("new"), ..UserChange::default() }).await.unwrap();
        assert!(!w.token_is_good("h2", 9).await, "a new password ends them");
        w.remove(&ada).await.unwrap();
        assert_eq!(w.count("token", "TRUE").await, 0);
    }

    async fn old_tokens_are_forgotten(w: World) {
        let ada = w.user("ada", "Op").await;
        w.token(&ada, "h1", Some(50)).await;
        w.meddle("UPDATE token SET expires_at = 1, revoked_at = NULL").await;
        w.token(&ada, "h2", None).await;
        let left = w.store.list_tokens(None, ALL).await.unwrap();
        assert_eq!(left.total, 1);
    }

    async fn sessions_end_with_time_and_silence_and_with_their_user(w: World) {
        let (ada, eve) = (w.user("ada", "Op").await, w.user("eve", "Admin").await);
        w.session(&ada, "s1", 10).await;
        assert!(w.session_is_good("s1", 19).await && !w.session_is_good("s1", 20).await, "silent for too long");
        let mut tx = w.store.begin().await.unwrap();
        tx.session_seen("s1", at(105)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(w.session_is_good("s1", 109).await && !w.session_is_good("s1", 110).await, "it is over, seen or not");
        w.session(&ada, "s2", 10).await;
        w.session(&eve, "s3", 10).await;
        w.change(&ada, UserChange { password: Some("new"), ..UserChange::default() }).await.unwrap();
        assert!(!w.session_is_good("s1", 11).await && !w.session_is_good("s2", 11).await && w.session_is_good("s3", 11).await);
        let mut tx = w.store.begin().await.unwrap();
        assert!(tx.end_session("s3").await.unwrap() && !tx.end_session("s3").await.unwrap());
        tx.commit().await.unwrap();
        w.session(&ada, "s2", 10).await;
        w.change(&ada, UserChange { is_active: Some(false), ..UserChange::default() }).await.unwrap();
        assert_eq!(w.count("session", "TRUE").await, 0);
        w.session(&eve, "s4", 500).await;
        w.session(&eve, "s5", 700).await;
        assert_eq!(w.count("session", "TRUE").await, 1, "what is over is forgotten");
    }

    async fn a_user_has_so_many_sessions_and_no_more(w: World) {
        let ada = w.user("ada", "Op").await;
        for number in 0..103_u64 {
            w.session(&ada, &format!("s{number}"), 10 + number / 2).await;
        }
        assert!(w.count("session", "TRUE").await <= 102);
        assert!(!w.session_is_good("s0", 15).await && w.session_is_good("s102", 62).await);
    }

    async fn a_login_counts_only_with_the_password_that_was_checked(w: World) {
        let ada = w.user("ada", "Op").await;
        let logs_in = async |password: &str| {
            let mut tx = w.store.begin().await.unwrap();
            let is_in = tx.logged_in(ada.id, password, at(9)).await.unwrap();
            tx.commit().await.unwrap();
            is_in
        };
        assert!(logs_in("hash").await);
        w.change(&ada, UserChange { password: Some("new"), ..UserChange::default() }).await.unwrap();
        assert!(!logs_in("hash").await && logs_in("new").await);
        w.user("root", "Admin").await;
        w.change(&ada, UserChange { is_active: Some(false), ..UserChange::default() }).await.unwrap();
        assert!(!logs_in("new").await, "who may not log in at all");
    }

    async fn users_are_listed(w: World) {
        for (name, role) in [("b", "Admin"), ("a", "Viewer"), ("c", "Op")] {
            w.user(name, role).await;
        }
        let mut tx = w.store.begin().await.unwrap();
        assert!(tx.logged_in(1, "hash", at(9)).await.unwrap());
        tx.commit().await.unwrap();
        let orders = [Order { by: UserOrder::Name, is_descending: false }];
        let listed = w.store.list_users(&[], &orders, ALL).await.unwrap();
        let names: Vec<_> = listed.rows.iter().map(|user| user.name.as_str()).collect();
        assert_eq!((names, listed.total), (vec!["a", "b", "c"], 3));
        let some = w.store.list_users(&[Pattern::Prefix("b".to_owned())], &[], ALL).await.unwrap();
        assert_eq!((some.rows[0].name.as_str(), some.rows[0].last_login_at), ("b", Some(at(9).as_micros())));
    }

    async fn more_dags_may_be_hidden_than_a_statement_has_arguments(w: World) {
        for dag_id in ["d7", "open"] {
            w.save(&format!("{dag_id}.yaml"), &format!("dag_id: {dag_id}\ntasks: [{{ id: t, pool: nowhere }}]\ntags: [{dag_id}]\n"), at(1)).await;
            w.save(&format!("{dag_id}.yaml"), "tasks: 7", at(2)).await;
        }
        let hidden: Vec<String> = (0..70_000).map(|number| format!("d{number}")).collect();
        let filter = DagFilter { hidden: hidden.clone(), ..DagFilter::default() };
        let dags = w.store.list_dags(&filter, &[], ALL).await.unwrap();
        assert_eq!((dags.rows[0].dag_id.as_str(), dags.total), ("open", 1));
        let versions = w.store.list_versions(None, None, &hidden, &[], ALL).await.unwrap();
        assert_eq!((versions.rows[0].dag_id.as_str(), versions.total), ("open", 1));
        assert_eq!(w.store.tags(&[], &hidden, 9).await.unwrap(), ["open"]);
        assert_eq!(w.store.list_missing_pools(None, &hidden, false, ALL).await.unwrap().total, 1);
        let filter = ImportErrorFilter { hidden_dags: hidden, ..ImportErrorFilter::default() };
        let errors = w.store.list_import_errors(&filter, &[], ALL).await.unwrap();
        assert_eq!((errors.rows[0].path.as_str(), errors.total), ("open.yaml", 1));
    }

    async fn access_to_a_dag_is_kept_with_it(w: World) {
        let text = |access: &str| format!("dag_id: d\n{access}\ntasks: [{{ id: t }}]\n");
        w.save("d.yaml", &text("access_control: { Viewer: [can_read], ada: [can_edit] }"), at(1)).await;
        w.save("e.yaml", "dag_id: e\ntasks: [{ id: t }]\n", at(1)).await;
        let expected = [("Viewer".to_owned(), DagAccess::Read), ("ada".to_owned(), DagAccess::Edit)];
        assert_eq!(w.store.access_of("d").await.unwrap(), Some(Some(expected.clone().into())));
        assert_eq!(w.store.access_of("e").await.unwrap(), Some(None));
        assert_eq!((w.store.access_of("f").await.unwrap(), w.store.access_of("d\0").await.unwrap()), (None, None));
        assert_eq!(w.store.restricted_dags().await.unwrap(), [("d".to_owned(), expected.into())]);
        w.save("d.yaml", &text("access_control: {}"), at(2)).await;
        assert_eq!(w.store.access_of("d").await.unwrap(), Some(Some(Default::default())));
        w.save("d.yaml", &text(""), at(3)).await;
        assert_eq!(w.store.access_of("d").await.unwrap(), Some(None));
        assert!(w.store.restricted_dags().await.unwrap().is_empty());
    }
}
