use std::{
    fs::{self, File, FileTimes},
    os::unix::fs::{PermissionsExt, symlink},
    time::{Instant, SystemTime},
};

use tempfile::TempDir;

use super::*;

/// A DAG folder in a folder of its own.
struct World {
    place: TempDir,
    folder: DagFolder,
}

/// In these tests a text names files in lines such as `$f: sql/a.sql`.
fn references(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.strip_prefix("$f: ")).map(str::to_owned).collect()
}

impl World {
    fn new() -> Self {
        Self::with(Limits { full_check_every: 0, ..Limits::default() })
    }

    fn with(limits: Limits) -> Self {
        let place = tempfile::tempdir().expect("a folder");
        let root = place.path().join("dags");
        fs::create_dir(&root).expect("made");
        let mut folder = DagFolder::new(root, limits, Clock::system());
        folder.references = references;
        Self { place, folder }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.root().join(path)
    }

    fn write(&mut self, path: &str, content: impl AsRef<[u8]>) -> &mut Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, content).expect("written");
        self
    }

    fn link(&mut self, path: &str, target: impl AsRef<Path>) -> &mut Self {
        symlink(target, self.path(path)).expect("linked");
        self
    }

    /// Scans; a change is `path = text`, `path removed` or `path: sentence`.
    fn scan(&mut self) -> Vec<String> {
        let changes = self.folder.scan();
        changes
            .into_iter()
            .map(|change| match change.kind {
                ChangeKind::Changed(content) => format!("{} = {}", change.path, content.text),
                ChangeKind::Removed => format!("{} removed", change.path),
                ChangeKind::Problem(problem) => format!("{}: {}", change.path, problem.sentence),
            })
            .collect()
    }

    #[track_caller]
    fn check(&mut self, expected: &[&str]) {
        assert_eq!(self.scan(), expected);
    }

    /// Scans; checks the one change there is by how it begins.
    #[track_caller]
    fn check_begins(&mut self, expected: &str) {
        let changes = self.scan();
        assert!(changes.len() == 1 && changes[0].starts_with(expected), "{changes:?}");
    }

    /// Makes all files old enough for their time stamps to be trusted.
    fn age(&self, path: &str) {
        let old = SystemTime::now() - Duration::from_secs(3_600);
        let file = File::options().write(true).open(self.path(path)).expect("open");
        file.set_times(FileTimes::new().set_modified(old)).expect("set");
    }

    #[track_caller]
    fn content(&mut self) -> Content {
        let mut changes = self.folder.scan();
        let is_content = |change: &FileChange| matches!(change.kind, ChangeKind::Changed(_));
        match changes.iter().position(is_content).map(|at| changes.swap_remove(at).kind) {
            Some(ChangeKind::Changed(content)) => content,
            other => panic!("no content: {other:?}, {changes:?}"),
        }
    }
}

#[test]
fn what_changes_is_told_once() {
    let mut world = World::new();
    world.check(&[]);
    world.write("b.yaml", "1").write("sub/deep/a.yml", "2");
    world.check(&["b.yaml = 1", "sub/deep/a.yml = 2"]);
    world.check(&[]);
    world.write("b.yaml", "3");
    world.check(&["b.yaml = 3"]);
    fs::remove_dir_all(world.path("sub")).expect("removed");
    world.check(&["sub/deep/a.yml removed"]);
    world.check(&[]);
}

#[test]
fn touching_or_saving_the_same_text_is_no_change() {
    let mut world = World::new();
    world.write("a.yaml", "1").check(&["a.yaml = 1"]);
    world.age("a.yaml");
    world.check(&[]);
    world.write("a.yaml", "1");
    world.check(&[]);
}

#[test]
fn a_change_of_same_length_within_the_same_instant_is_seen() {
    let mut world = World::new();
    world.write("a.yaml", "1").check(&["a.yaml = 1"]);
    let times = fs::metadata(world.path("a.yaml")).expect("found").modified().expect("a time");
    for text in ["2", "3", "4"] {
        world.write("a.yaml", text);
        let file = File::options().write(true).open(world.path("a.yaml")).expect("open");
        file.set_times(FileTimes::new().set_modified(times)).expect("set");
        world.check(&[&format!("a.yaml = {text}")]);
    }
}

#[test]
fn every_so_often_contents_are_compared_whatever_the_stamps_say() {
    let mut world = World::with(Limits { full_check_every: 4, ..Limits::default() });
    world.write("a.yaml", "1").check(&["a.yaml = 1"]);
    world.write("a.yaml", "2");
    // A file system that lies: the stamp that is known is that of the file as it is.
    let stamp = Stamp::of(&world.path("a.yaml"));
    let known = world.folder.known.get_mut("a.yaml").expect("known");
    (known.stamp, known.is_settled) = (stamp, true);
    world.check(&[]);
    world.check(&[]);
    world.check(&["a.yaml = 2"]);
}

#[test]
fn only_dag_files_count() {
    let mut world = World::new();
    for name in ["a.json", "b.yaml~", ".c.yaml", ".git/d.yaml", "yaml", "e.YAML", "f.yaml.swp", "g.yaml/h.txt"] {
        world.write(name, "");
    }
    world.write("g.yaml/i.yaml", "1").write("ü.yml", "2");
    world.check(&["g.yaml/i.yaml = 1", "ü.yml = 2"]);
}

#[test]
fn ignore_files_leave_out_what_they_name() {
    let mut world = World::new();
    world.write(".flowignore", "drafts/\n*_test.yaml\n!good_test.yaml\n# a comment\n");
    world.write("sub/.airflowignore", "/x.yaml\n");
    world.write(".gitignore", "a.yaml\n").write(".ignore", "a.yaml\n");
    for name in
        ["a.yaml", "drafts/a.yaml", "a_test.yaml", "good_test.yaml", "sub/x.yaml", "sub/y.yaml", "sub/sub/x.yaml"]
    {
        world.write(name, "1");
    }
    world.check(&["a.yaml = 1", "good_test.yaml = 1", "sub/sub/x.yaml = 1", "sub/y.yaml = 1"]);
    world.write(".flowignore", "/a.yaml\n");
    world.check(&["a.yaml removed", "a_test.yaml = 1", "drafts/a.yaml = 1"]);
}

#[test]
fn a_pattern_that_cannot_be_used_is_told_and_the_others_hold() {
    let mut world = World::new();
    world.write(".flowignore", "a.yaml\n[z-a]\n").write("a.yaml", "1").write("b.yaml", "2");
    let changes = world.scan();
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(changes[0].starts_with(".flowignore: holds a pattern that cannot be used: line 2"), "{changes:?}");
    assert_eq!(changes[1], "b.yaml = 2");
    world.check(&[]);
    world.write(".flowignore", "a.yaml\n");
    world.check(&[".flowignore removed"]);
}

#[test]
fn links_are_followed_and_loops_end() {
    let mut world = World::new();
    fs::create_dir(world.place.path().join("elsewhere")).expect("made");
    fs::write(world.place.path().join("elsewhere/a.yaml"), "1").expect("written");
    world.link("linked", "../elsewhere").link("b.yaml", "../elsewhere/a.yaml");
    fs::create_dir(world.path("sub")).expect("made");
    world
        .link("sub/up", "..")
        .link("nothing.yaml", "nowhere")
        .link("nothing.txt", "nowhere")
        .link("self.yaml", "self.yaml");
    let changes = world.scan();
    assert_eq!(changes.len(), 5, "{changes:?}");
    assert_eq!(changes[0], "b.yaml = 1");
    assert_eq!(changes[1], "linked/a.yaml = 1");
    assert_eq!(changes[2], "nothing.yaml: is a link to something that does not exist");
    assert!(changes[3].starts_with("self.yaml: cannot be read"), "{changes:?}");
    assert!(changes[4].starts_with("sub/up: is a link to"), "{changes:?}");
    world.check(&[]);
    fs::write(world.place.path().join("elsewhere/a.yaml"), "22").expect("written");
    world.check(&["b.yaml = 22", "linked/a.yaml = 22"]);
}

#[test]
fn a_folder_swapped_by_a_link_is_a_change_of_its_files() {
    let mut world = World::new();
    world.write("..one/a.yaml", "1\n$f: a.sql").write("..one/a.sql", "x");
    world.write("..two/a.yaml", "2\n$f: a.sql").write("..two/a.sql", "y");
    world.link("..data", "..one").link("a.yaml", "..data/a.yaml").link("a.sql", "..data/a.sql");
    let content = world.content();
    assert_eq!(content.files["a.sql"], Ok("x".to_owned()));
    world.link("..next", "..two");
    fs::rename(world.path("..next"), world.path("..data")).expect("moved");
    let content = world.content();
    assert_eq!((content.text.as_str(), &content.files["a.sql"]), ("2\n$f: a.sql", &Ok("y".to_owned())));
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let mut world = World::new();
    world.write("limit.yaml", vec![b'x'; 1024 * 1024]).write("over.yaml", "");
    File::options().write(true).open(world.path("over.yaml")).expect("open").set_len(10 << 30).expect("sparse");
    let started = Instant::now();
    let changes = world.scan();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(changes[0].len(), "limit.yaml = ".len() + 1024 * 1024);
    assert_eq!(changes[1], "over.yaml: is larger than 1 MiB (10737418240 bytes)");
    world.write("over.yaml", "1").check(&["over.yaml = 1"]);
}

#[test]
fn what_is_no_text_is_told_with_its_place() {
    let mut world = World::new();
    let mut check = |bytes: &[u8], sentence: &str, place: (usize, usize)| {
        world.write("a.yaml", bytes);
        let expected = Problem { sentence: sentence.to_owned(), place: Some(place) };
        assert_eq!(
            world.folder.scan(),
            [FileChange { path: "a.yaml".to_owned(), kind: ChangeKind::Problem(expected) }]
        );
    };
    check(b"\xff", "is not UTF-8: the byte 0xff is no character", (1, 1));
    check(
        "tasks:\n  größe: \u{1f980}".as_bytes().split_last().expect("long").1,
        "is not UTF-8: the byte 0xf0 is no character",
        (2, 10),
    );
    check(b"\xff\xfea\0", "is UTF-16, not UTF-8; save it as UTF-8", (1, 1));
    world.write("a.yaml", "fine").check(&["a.yaml = fine"]);
}

#[test]
fn what_is_no_file_is_told_and_nobody_waits_for_it() {
    let mut world = World::new();
    nix::unistd::mkfifo(&world.path("pipe.yaml"), nix::sys::stat::Mode::S_IRWXU).expect("made");
    world.link("null.yaml", "/dev/null");
    world.check(&["null.yaml: is not a regular file", "pipe.yaml: is not a regular file"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_fails_while_it_is_read_is_told_and_keeps_the_rest_going() {
    let mut world = World::new();
    world.link("bad.yaml", "/proc/self/mem").write("good.yaml", "1");
    let changes = world.scan();
    assert!(changes[0].starts_with("bad.yaml: cannot be read: "), "{changes:?}");
    assert_eq!(changes[1..], ["good.yaml = 1"]);
    world.check(&[]);
}

/// Runs as somebody who is not root and owns nothing; in this thread only.
#[cfg(target_os = "linux")]
fn as_nobody<T>(work: impl FnOnce() -> T) -> T {
    use nix::unistd::{Uid, geteuid, setfsuid};
    setfsuid(Uid::from_raw(65_534));
    let result = work();
    setfsuid(geteuid());
    result
}

#[test]
#[cfg(target_os = "linux")]
fn what_may_not_be_read_is_told_and_what_was_known_stays() {
    let mut world = World::new();
    let allow = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    if nix::unistd::geteuid().is_root() {
        allow(world.place.path(), 0o755);
    }
    world.write("a.yaml", "1").write("sub/b.yaml", "2").write("sub/deep/c.yaml", "3").write("subtle.yaml", "4");
    assert_eq!(as_nobody(|| world.scan()).len(), 4);
    allow(&world.path("a.yaml"), 0o000);
    allow(&world.path("sub"), 0o000);
    fs::remove_file(world.path("subtle.yaml")).expect("removed");
    let changes = as_nobody(|| world.scan());
    assert_eq!(changes.len(), 3, "{changes:?}");
    assert!(changes[0].starts_with("a.yaml: cannot be read: Permission denied"), "{changes:?}");
    assert!(changes[1].starts_with("sub: cannot be read: Permission denied"), "{changes:?}");
    assert_eq!(changes[2], "subtle.yaml removed");
    assert_eq!(as_nobody(|| world.scan()), [""; 0]);
    allow(&world.path("a.yaml"), 0o644);
    allow(&world.path("sub"), 0o755);
    assert_eq!(as_nobody(|| world.scan()), ["a.yaml = 1", "sub removed"]);
    allow(world.folder.root(), 0o000);
    let changes = as_nobody(|| world.scan());
    assert!(changes.len() == 1 && changes[0].starts_with(".: cannot be read"), "{changes:?}");
    allow(world.folder.root(), 0o755);
    assert_eq!(as_nobody(|| world.scan()), [". removed"]);
}

#[test]
fn a_folder_that_vanishes_keeps_its_files_until_it_is_back() {
    let mut world = World::new();
    world.write("a.yaml", "1").write("b.yaml", "2");
    assert!(!world.folder.is_readable());
    world.check(&["a.yaml = 1", "b.yaml = 2"]);
    let away = world.place.path().join("away");
    fs::rename(world.folder.root(), &away).expect("moved");
    world.check_begins(".: does not exist; its DAGs stay as they were");
    assert!(!world.folder.is_readable());
    world.check(&[]);
    fs::write(world.folder.root(), "in the way").expect("written");
    world.check_begins(".: is not a folder");
    fs::remove_file(world.folder.root()).expect("removed");
    fs::remove_file(away.join("b.yaml")).expect("removed");
    fs::rename(&away, world.folder.root()).expect("moved");
    world.check(&[". removed", "b.yaml removed"]);
    assert!(world.folder.is_readable());
    assert_eq!(world.folder.good_paths().collect::<Vec<_>>(), ["a.yaml"]);
}

#[test]
fn a_folder_that_is_not_there_at_the_start_is_found_when_it_comes() {
    let mut world = World::new();
    fs::remove_dir(world.folder.root()).expect("removed");
    world.check_begins(".: does not exist");
    world.write("a.yaml", "1").check(&[". removed", "a.yaml = 1"]);
}

#[test]
fn an_empty_folder_on_another_file_system_is_taken_for_an_unmounted_one() {
    let mut world = World::new();
    world.write("a.yaml", "1").check(&["a.yaml = 1"]);
    fs::remove_file(world.path("a.yaml")).expect("removed");
    let device = world.folder.device.replace(u64::MAX);
    world.check_begins(".: is empty and on another file system");
    world.check(&[]);
    world.folder.device = device;
    world.check(&[". removed", "a.yaml removed"]);
}

#[test]
fn a_file_whose_problem_is_over_is_told_again() {
    let mut world = World::new();
    world.write("a.yaml", "1").check(&["a.yaml = 1"]);
    world.write("a.yaml", b"\xff").check_begins("a.yaml: is not UTF-8");
    world.check(&[]);
    world.write("a.yaml", "1").check(&["a.yaml = 1"]);
}

#[test]
fn a_file_can_be_told_again_on_request() {
    let mut world = World::new();
    world.write("a.yaml", "1");
    assert!(world.content().is_fresh);
    world.age("a.yaml");
    world.check(&[]);
    world.folder.recheck("a.yaml");
    world.folder.recheck("other.yaml");
    let content = world.content();
    assert_eq!((content.text.as_str(), content.is_fresh), ("1", false));
    world.check(&[]);
}

#[test]
fn files_that_a_dag_names_belong_to_it() {
    let mut world = World::new();
    world.write("sub/a.yaml", "$f: q/x.sql\n$f: ./y.sql\n$f: missing\n$f: q\n$f: bin\n$f: q/x.sql");
    world.write("sub/q/x.sql", "select 1").write("sub/y.sql", "select 2").write("sub/bin", b"a\n\xff");
    let content = world.content();
    let expected = [
        ("./y.sql", Ok("select 2")),
        ("bin", Err("is not UTF-8: the byte 0xff is no character (line 2, column 1)")),
        ("missing", Err("does not exist")),
        ("q", Err("is a folder")),
        ("q/x.sql", Ok("select 1")),
    ];
    assert_eq!(content.files.len(), expected.len());
    for (name, expected) in expected {
        assert_eq!(content.files[name], expected.map(str::to_owned).map_err(str::to_owned), "{name}");
    }
    let first = content.hash;
    for name in ["sub/a.yaml", "sub/q/x.sql", "sub/y.sql", "sub/bin"] {
        world.age(name);
    }
    world.check(&[]);
    world.write("sub/q/x.sql", "select 3");
    let content = world.content();
    assert_eq!(content.files["q/x.sql"], Ok("select 3".to_owned()));
    assert_ne!(content.hash, first);
    world.write("sub/missing", "here");
    assert_eq!(world.content().files["missing"], Ok("here".to_owned()));
    fs::remove_file(world.path("sub/missing")).expect("removed");
    assert_eq!(world.content().files["missing"], Err("does not exist".to_owned()));
    world.check(&[]);
}

#[test]
fn no_named_file_is_outside_of_the_folder() {
    let mut world = World::new();
    fs::write(world.place.path().join("secret"), "secret").expect("written");
    world.write("sub/near", "near").write("other", "other");
    world.link("sub/link", "../../secret").link("sub/up", "..").link("sub/good", "near").link("sub/loop", "loop");
    let absolute = world.path("sub/near");
    let names =
        ["../other", "near/../near", "/etc/hostname", "link", "up/other", "good", "loop", "sub/../../secret", " "];
    let text: String = names.iter().map(|name| format!("$f: {name}\n")).collect();
    world.write("sub/a.yaml", format!("{text}$f: {}\n$f: \n$f: a\0b\n", absolute.display()));
    let content = world.content();
    assert_eq!(content.files.len(), names.len() + 3);
    for (name, file) in &content.files {
        assert_eq!(file.is_ok(), name == "good", "{name}: {file:?}");
    }
    assert_eq!(content.files["link"], Err("is outside of the DAG file's folder".to_owned()));
}

#[test]
fn named_files_are_bounded_too() {
    let mut world = World::with(Limits { file_bytes: 1_000, ..Limits::default() });
    world.write("x.sql", vec![b'x'; 1_001]).write("a.yaml", "$f: x.sql");
    assert_eq!(world.content().files["x.sql"], Err("is larger than 1000 bytes (1001 bytes)".to_owned()));
    let mut world = World::with(Limits::default());
    world.write("x.sql", vec![b'x'; 1024 * 1024]);
    world.write(
        "a.yaml",
        (0..1_100)
            .map(|n| if n < 20 { format!("$f: {}x.sql\n", "./".repeat(n)) } else { format!("$f: {n}\n") })
            .collect::<String>(),
    );
    let files = world.content().files;
    assert_eq!(files.len(), 1_001);
    assert_eq!(files.values().filter(|file| file.is_ok()).count(), 16);
}

#[test]
fn more_files_than_allowed_are_told_and_none_is_taken_for_removed() {
    let mut world = World::with(Limits { files: 3, ..Limits::default() });
    world.write("b.yaml", "").write("c.yaml", "").write("d.yaml", "");
    world.check(&["b.yaml = ", "c.yaml = ", "d.yaml = "]);
    world.write("a.yaml", "");
    world.check(&[".: holds more than 3 DAG files; the rest is not read", "a.yaml = "]);
    world.check(&[]);
    fs::remove_file(world.path("b.yaml")).expect("removed");
    world.check(&[". removed", "b.yaml removed"]);
}

#[test]
fn a_folder_full_of_other_things_ends_too() {
    let mut world = World::with(Limits { files: 2, ..Limits::default() });
    for n in 0..30 {
        world.write(&format!("{n}.txt"), "");
    }
    world.check(&[".: holds more than 20 files; the rest is not looked at"]);
}

#[test]
fn a_thousand_files_are_looked_at_fast() {
    let mut world = World::new();
    for n in 0..1_000 {
        let path = format!("{}/{n}.yaml", n % 10);
        world.write(&path, format!("dag_id: d{n}\n{}", "# text\n".repeat(100)));
        world.age(&path);
    }
    let timed = |world: &mut World| {
        let started = Instant::now();
        (world.folder.scan().len(), started.elapsed())
    };
    let (changed, cold) = timed(&mut world);
    let (unchanged, warm) = timed(&mut world);
    assert_eq!((changed, unchanged), (1_000, 0));
    eprintln!("1,000 files: {cold:?} changed, {warm:?} unchanged");
    // Far above what they should take, for slow machines; far below what a mistake costs.
    assert!(cold < Duration::from_secs(5) && warm < Duration::from_secs(1), "{cold:?}, {warm:?}");
}
