//! Variables and connections: encrypted at rest, whoever writes them, whatever happens to the key.

use std::path::PathBuf;

use flow_core::{connection::Connection, secret::Secret};
use flow_store::{
    ConnectionFilter, Keyring, Order, Page, Pattern, RotationStep, Store, StoreError, VariableFilter, VariableOrder,
};

use crate::{support::both, world::World};

const ALL: Page = Page { limit: 1_000, offset: 0 };

/// A world with a key file.
struct Home {
    w: World,
    folder: tempfile::TempDir,
}

impl Home {
    fn of(w: World) -> Self {
        Self { w, folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("secret.key")
    }

    /// The store as a process sees it that begins now.
    fn store(&self) -> Store {
        self.w.store.clone().with_keyring(Keyring::in_file(self.file()))
    }

    fn ids(&self) -> Vec<String> {
        Keyring::in_file(self.file()).ids().unwrap()
    }

    /// Everything that stands in the tables.
    async fn written(&self) -> String {
        let mut raw = self.w.db.raw().await;
        let mut all = raw.texts("SELECT value FROM variable").await;
        all.extend(raw.texts("SELECT COALESCE(password, '') || COALESCE(extra, '') FROM connection").await);
        all.join("\n")
    }
}

async fn set(store: &Store, key: &str, value: &str) {
    let mut tx = store.begin().await.unwrap();
    tx.set_variable(key, &Secret::from(value), None).await.unwrap();
    tx.commit().await.unwrap();
}

async fn get(store: &Store, key: &str) -> String {
    store.variable(key).await.unwrap().unwrap().value.unwrap().into_exposed()
}

fn warehouse() -> Connection {
    Connection::parse("warehouse", "postgres://me:hunter2@db:5432/sales?api_key=k77-of-sales&sslmode=off").unwrap()
}

async fn set_connection(store: &Store, connection: &Connection) {
    let mut tx = store.begin().await.unwrap();
    tx.set_connection(connection).await.unwrap();
    tx.commit().await.unwrap();
}

both! {
    async fn what_is_written_is_encrypted_and_read_again(w: World) {
        let home = Home::of(w);
        let store = home.store();
        assert_eq!(store.current_key().await.unwrap(), None);
        store.check_key().await.unwrap();
        assert!(!home.file().exists(), "a key was made before it was needed");
        set(&store, "region", "hunter2").await;
        set_connection(&store, &warehouse()).await;
        assert_eq!(get(&store, "region").await, "hunter2");
        let row = store.connection("warehouse").await.unwrap().unwrap();
        assert_eq!((row.has_password, row.has_extra), (true, true));
        assert_eq!(row.whole().unwrap(), warehouse());
        assert_eq!(store.current_key().await.unwrap().as_ref(), home.ids().first());
        let written = home.written().await;
        assert!(!written.contains("hunter2") && !written.contains("k77-of-sales"), "{written}");
        assert_eq!(written.matches("f1:").count(), 3);
        assert!(store.variable("nothing").await.unwrap().is_none());
        assert!(store.connection("nothing").await.unwrap().is_none());
    }

    async fn nobody_can_write_a_secret_in_the_clear(w: World) {
        for text in [
            "INSERT INTO variable (key, value) VALUES ('a', 'plain')",
            "INSERT INTO connection (connection_id, conn_type, password) VALUES ('a', 'http', 'plain')",
            "INSERT INTO connection (connection_id, conn_type, extra) VALUES ('a', 'http', '{}')",
        ] {
            assert!(w.db.raw().await.run(text).await.is_err(), "{text}");
        }
        let mut tx = w.store.begin().await.unwrap();
        let refused = tx.set_variable("a", &Secret::from("x"), None).await.unwrap_err();
        assert!(matches!(refused, StoreError::Key(_)), "{refused}");
    }

    async fn adding_never_replaces_and_deleting_says_whether_it_was_there(w: World) {
        let home = Home::of(w);
        let store = home.store();
        let mut tx = store.begin().await.unwrap();
        assert!(tx.add_variable("a", &Secret::from("1"), Some("first")).await.unwrap());
        assert!(!tx.add_variable("a", &Secret::from("2"), None).await.unwrap());
        tx.describe_variable("a", Some("second")).await.unwrap();
        assert_eq!(tx.variable("a").await.unwrap().unwrap().description.as_deref(), Some("second"));
        assert!(tx.add_connection(&warehouse()).await.unwrap());
        assert!(!tx.add_connection(&warehouse()).await.unwrap());
        assert!(tx.connection("warehouse").await.unwrap().is_some());
        tx.commit().await.unwrap();
        assert_eq!(get(&store, "a").await, "1");
        let mut tx = store.begin().await.unwrap();
        assert!(tx.delete_variable("a").await.unwrap() && !tx.delete_variable("a").await.unwrap());
        assert!(tx.delete_connection("warehouse").await.unwrap() && !tx.delete_connection("warehouse").await.unwrap());
        tx.commit().await.unwrap();
    }

    async fn a_value_cannot_be_moved_to_another_row(w: World) {
        let home = Home::of(w);
        let store = home.store();
        set(&store, "a", "hunter2").await;
        set(&store, "b", "x").await;
        home.w.meddle("UPDATE variable SET value = (SELECT value FROM variable WHERE key = 'a') WHERE key = 'b'").await;
        let problem = store.variable("b").await.unwrap().unwrap().value.unwrap_err().to_string();
        assert!(problem.contains("changed from outside"), "{problem}");
        // It harms nothing else.
        let listed = store.list_variables(&VariableFilter::default(), &[], ALL).await.unwrap();
        assert_eq!(listed.rows.iter().map(|row| row.value.is_ok()).collect::<Vec<_>>(), [true, false]);
    }

    async fn a_process_with_another_key_says_so_at_its_start(w: World) {
        let home = Home::of(w);
        set(&home.store(), "a", "hunter2").await;
        set_connection(&home.store(), &warehouse()).await;
        let other = tempfile::tempdir().unwrap();
        let stranger = home.w.store.clone().with_keyring(Keyring::in_file(other.path().join("secret.key")));
        let problem = stranger.check_key().await.unwrap_err().to_string();
        assert!(problem.contains(&home.ids()[0]) && problem.contains("FLOW_SECRET_KEY"), "{problem}");
        let problem = stranger.variable("a").await.unwrap().unwrap().value.unwrap_err().to_string();
        assert!(problem.contains(&home.ids()[0]), "{problem}");
        let row = stranger.connection("warehouse").await.unwrap().unwrap();
        assert_eq!((row.connection.host.as_deref(), row.has_password), (Some("db"), true));
        assert!(row.whole().is_err());
        let mut tx = stranger.begin().await.unwrap();
        let refused = tx.set_variable("b", &Secret::from("x"), None).await.unwrap_err().to_string();
        assert!(refused.contains("cannot be written"), "{refused}");
        assert!(!other.path().join("secret.key").exists(), "a second key was made");
        assert!(stranger.rotate_key(|_| ()).await.is_err());
    }

    async fn lists_are_filtered_and_sorted(w: World) {
        let home = Home::of(w);
        let store = home.store();
        for key in ["b_1", "a_1", "a_2"] {
            set(&store, key, "x").await;
            set_connection(&store, &Connection { id: key.to_owned(), conn_type: "http".to_owned(), ..Connection::default() }).await;
        }
        let filter = VariableFilter { keys: vec![Pattern::Prefix("a".to_owned())] };
        let order = [Order { by: VariableOrder::Key, is_descending: true }];
        let listed = store.list_variables(&filter, &order, Page { limit: 1, offset: 0 }).await.unwrap();
        assert_eq!((listed.rows[0].key.as_str(), listed.total), ("a_2", 2));
        let filter = ConnectionFilter { ids: vec![Pattern::Like(vec!["_1".to_owned()])] };
        let listed = store.list_connections(&filter, &[], ALL).await.unwrap();
        let ids: Vec<_> = listed.rows.iter().map(|row| row.connection.id.as_str()).collect();
        assert_eq!((ids, listed.total), (vec!["a_1", "b_1"], 2));
    }

    async fn a_new_key_takes_over_while_others_work(w: World) {
        let home = Home::of(w);
        let (store, running) = (home.store(), home.store());
        for number in 0..250 {
            set(&store, &format!("key{number}"), &format!("value{number}")).await;
        }
        set_connection(&store, &warehouse()).await;
        assert_eq!(get(&running, "key7").await, "value7");
        let old = home.ids().remove(0);
        let mut steps = Vec::new();
        let rotated = store.rotate_key(|step| steps.push(step)).await.unwrap();
        assert_eq!((rotated.changed, rotated.is_resumed, rotated.unreadable.len()), (251, false, 0));
        assert_eq!(rotated.dropped, std::slice::from_ref(&old));
        assert!(steps.iter().filter(|step| matches!(step, RotationStep::Changed(_))).count() >= 3, "{steps:?}");
        assert_eq!(home.ids(), std::slice::from_ref(&rotated.to));
        assert!(!home.written().await.contains(&old));
        // A process that was there before finds the new key, for reading and for writing.
        assert_eq!(get(&running, "key7").await, "value7");
        assert_eq!(running.connection("warehouse").await.unwrap().unwrap().whole().unwrap(), warehouse());
        set(&home.store(), "new", "1").await;
        set(&running, "newer", "2").await;
        assert_eq!(get(&home.store(), "newer").await, "2");
    }

    async fn a_process_that_knows_only_the_old_key_writes_with_the_new_one(w: World) {
        let home = Home::of(w);
        let running = home.store();
        set(&running, "a", "1").await;
        let rotated = home.store().rotate_key(|_| ()).await.unwrap();
        set(&running, "b", "2").await;
        assert_eq!(home.written().await.matches(&rotated.to).count(), 2);
    }

    async fn a_change_of_the_key_that_was_killed_is_finished_by_the_next(w: World) {
        let home = Home::of(w);
        for number in 0..150 {
            set(&home.store(), &format!("key{number}"), &format!("value{number}")).await;
        }
        set_connection(&home.store(), &warehouse()).await;
        let mut died = 0;
        loop {
            let (store, mut left) = (home.store(), died);
            let killed = tokio::spawn(async move {
                store.rotate_key(move |_| {
                    assert!(left > 0, "killed here");
                    left -= 1;
                }).await.unwrap();
            }).await;
            for number in [0, 77, 149] {
                assert_eq!(get(&home.store(), &format!("key{number}")).await, format!("value{number}"));
            }
            set(&home.store(), "while", &died.to_string()).await;
            if killed.is_ok() {
                break;
            }
            assert_eq!(home.ids().len(), 2, "the old key went too early");
            let rotated = home.store().rotate_key(|_| ()).await.unwrap();
            assert!(rotated.is_resumed && home.ids() == [rotated.to]);
            died += 1;
        }
        assert!(died >= 4, "{died} steps");
        assert_eq!(get(&home.store(), "key149").await, "value149");
        assert_eq!(home.store().connection("warehouse").await.unwrap().unwrap().whole().unwrap(), warehouse());
    }

    async fn keys_that_were_given_change_when_all_have_both(w: World) {
        let (old, new) = ("A".repeat(43), "B".repeat(42) + "A");
        let with = |text: &str| w.store.clone().with_keyring(Keyring::given(text).unwrap());
        set(&with(&old), "a", "1").await;
        let both = with(&format!("{new},{old}"));
        // Until the change, the others can read what is written.
        set(&both, "b", "2").await;
        assert_eq!(get(&with(&old), "b").await, "2");
        let rotated = both.rotate_key(|_| ()).await.unwrap();
        assert_eq!((rotated.changed, rotated.dropped.len()), (2, 1));
        let only = with(&new);
        only.check_key().await.unwrap();
        assert_eq!((get(&only, "a").await, get(&only, "b").await), ("1".to_owned(), "2".to_owned()));
        assert!(with(&old).check_key().await.is_err());
    }

    async fn a_row_that_nobody_can_read_does_not_stop_a_change(w: World) {
        let home = Home::of(w);
        set(&home.store(), "a", "1").await;
        set(&home.store(), "b", "2").await;
        home.w.meddle("UPDATE variable SET value = 'f1:0000:AAAA' WHERE key = 'b'").await;
        let rotated = home.store().rotate_key(|_| ()).await.unwrap();
        assert_eq!((rotated.changed, rotated.unreadable), (1, vec!["variable `b`".to_owned()]));
        assert_eq!(get(&home.store(), "a").await, "1");
    }

    async fn a_key_is_needed_while_any_row_is_left_that_it_opens(w: World) {
        let home = Home::of(w);
        set(&home.store(), "a", "1").await;
        set(&home.store(), "b", "2").await;
        home.w.meddle("UPDATE variable SET value = 'f1:0000:AAAA' WHERE key = 'b'").await;
        let old = home.w.db.raw().await.texts("SELECT value FROM variable WHERE key = 'a'").await.remove(0);
        let mut is_first = true;
        let rotated = home.store().rotate_key(|step| {
            if !matches!(step, RotationStep::Changed(_)) || !std::mem::take(&mut is_first) {
                return;
            }
            // One row that cannot be read has gone since; one that can is left, as if someone had held it.
            let meddle = async {
                home.w.meddle("DELETE FROM variable WHERE key = 'b'").await;
                home.w.meddle(&format!("UPDATE variable SET value = '{old}' WHERE key = 'a'")).await;
            };
            let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            std::thread::scope(|scope| scope.spawn(|| runtime().block_on(meddle)).join().unwrap());
        }).await.unwrap();
        assert_eq!((rotated.changed, rotated.unreadable.len(), home.ids().len()), (2, 0, 1));
        assert_eq!(get(&home.store(), "a").await, "1");
    }

    async fn two_processes_that_begin_at_once_end_with_one_key(w: World) {
        let home = Home::of(w);
        let (one, two) = (home.store(), home.store());
        tokio::join!(set(&one, "a", "1"), set(&two, "b", "2"));
        assert_eq!(home.ids().len(), 1);
        assert_eq!((get(&two, "a").await, get(&one, "b").await), ("1".to_owned(), "2".to_owned()));
    }

    async fn nothing_prints_a_secret(w: World) {
        let home = Home::of(w);
        let store = home.store();
        set(&store, "a", "hunter2").await;
        set_connection(&store, &warehouse()).await;
        let key = std::fs::read_to_string(home.file()).unwrap();
        let key = key.lines().last().unwrap();
        let row = store.connection("warehouse").await.unwrap().unwrap();
        let text = format!("{store:?} {:?} {row:?} {:?}", store.variable("a").await.unwrap(), store.begin().await.unwrap());
        assert!(!text.contains("hunter2") && !text.contains("k77-of-sales") && !text.contains(key), "{text}");
    }
}
