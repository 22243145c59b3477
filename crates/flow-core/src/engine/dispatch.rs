//! `hand_out`: who gets the free slots.
//!
//! The only decision that looks across runs. Candidates are taken in one order (priority, then logical date,
//! DAG, task, map index); one that does not fit is passed over, so that a full pool or a run at its limit never
//! holds up another.
//!
//! One exception: a task that asks for more slots than its pool has free at the moment, but could have, holds
//! back what comes after it in the same pool. Otherwise a steady stream of small tasks would keep a big one
//! waiting for ever (Airflow lets them). What asks for more slots than its pool has in all holds back nobody.
//!
//! Candidates may come page by page, best first, with the same [`Room`]. A page need not show what cannot be
//! served: it may leave out pools that are not among [`Room::open_pools`], and who asks for more than is said there.

use super::{Reason, Room, Waiting};

/// Says which of the waiting task instances get their slots, by position, best first. `room` is charged for each.
pub fn hand_out(waiting: &[Waiting], room: &mut Room) -> Vec<usize> {
    let mut granted = Vec::new();
    for at in in_order(waiting) {
        let candidate = &waiting[at];
        if room.held.contains(&candidate.pool) || limit(candidate, room).is_some() {
            continue;
        }
        match pool(candidate, room) {
            PoolAnswer::Fits => {
                room.charge(candidate);
                granted.push(at);
            }
            PoolAnswer::Later => {
                room.held.insert(candidate.pool.clone());
            }
            PoolAnswer::Full | PoolAnswer::Never | PoolAnswer::Missing => {}
        }
    }
    granted
}

/// Returns the positions in the order in which they are served.
pub fn in_order(waiting: &[Waiting]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..waiting.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&waiting[a], &waiting[b]);
        b.priority_weight
            .cmp(&a.priority_weight)
            .then_with(|| a.logical_date.cmp(&b.logical_date))
            .then_with(|| a.dag_id.cmp(&b.dag_id))
            .then_with(|| a.task_id.cmp(&b.task_id))
            .then_with(|| a.map_index.cmp(&b.map_index))
            .then_with(|| a.run.cmp(&b.run))
    });
    order
}

/// Says why a task instance does not get its slots. `ahead`: how many are served before it in its pool.
pub fn explain_dispatch(waiting: &Waiting, room: &Room, ahead: usize) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = limit(waiting, room).into_iter().collect();
    let name = &waiting.pool;
    let total = room.pool_sizes.get(name);
    let text = match pool(waiting, room) {
        PoolAnswer::Missing => {
            let known: Vec<_> = room.pools.keys().map(|pool| format!("`{pool}`")).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            format!("waiting: pool `{name}` does not exist (there are: {known})")
        }
        PoolAnswer::Never => format!(
            "waiting: it asks for {} slots, and pool `{name}` has only {} in all",
            waiting.pool_slots,
            total.copied().unwrap_or_default()
        ),
        PoolAnswer::Full | PoolAnswer::Later => {
            let free = room.pools.get(name).copied().unwrap_or_default();
            let free = if free <= 0 { "no free slot".to_owned() } else { format!("only {} free", slots(free)) };
            let asks =
                if waiting.pool_slots > 1 { format!(", it asks for {}", waiting.pool_slots) } else { String::new() };
            let used = total.map_or(String::new(), |total| {
                format!(" ({} of {total} in use{asks})", total - room.pools.get(name).copied().unwrap_or_default())
            });
            format!("waiting: pool `{name}` has {free}{used}; {}", turn(ahead))
        }
        PoolAnswer::Fits if reasons.is_empty() => {
            format!("waiting: it gets its slots of pool `{name}` in a moment; {}", turn(ahead))
        }
        PoolAnswer::Fits => return reasons,
    };
    reasons.push(Reason { kind: "pool", text, task: None });
    reasons
}

fn turn(ahead: usize) -> String {
    match ahead {
        0 => "next in line".to_owned(),
        1 => "next in line after 1 other".to_owned(),
        _ => format!("next in line after {ahead} others"),
    }
}

fn slots(number: i64) -> String {
    if number == 1 { "1 slot".to_owned() } else { format!("{number} slots") }
}

/// What a pool says to a candidate.
enum PoolAnswer {
    Fits,
    /// Not even one slot is free: nobody else would fit either.
    Full,
    /// Some are free, but too few, and there will be enough.
    Later,
    /// It asks for more than there will ever be.
    Never,
    /// There is no such pool.
    Missing,
}

fn pool(candidate: &Waiting, room: &Room) -> PoolAnswer {
    let Some(&free) = room.pools.get(&candidate.pool) else { return PoolAnswer::Missing };
    let asked = i64::from(candidate.pool_slots);
    match room.pool_sizes.get(&candidate.pool) {
        Some(&total) if asked > total => PoolAnswer::Never,
        // A pool without free slots serves nobody, not even those who ask for none.
        _ if free <= 0 => PoolAnswer::Full,
        _ if asked <= free => PoolAnswer::Fits,
        Some(_) => PoolAnswer::Later,
        // Its size is not known: it may never fit, and must not hold back the others.
        None => PoolAnswer::Never,
    }
}

/// Says which limit keeps a candidate from starting, if one does.
fn limit(candidate: &Waiting, room: &Room) -> Option<Reason> {
    let reached = |used: Option<&u32>, limit: u32| used.copied().unwrap_or_default() >= limit;
    let reason = |text: String| Some(Reason { kind: "limit", text, task: None });
    if reached(room.by_run.get(&candidate.run), candidate.max_active_tasks) {
        let most = candidate.max_active_tasks;
        return reason(format!("waiting: its run has reached `max_active_tasks` ({most})"));
    }
    let task = || candidate.task_id.clone();
    if let Some(most) = candidate.max_active_tis_per_dag
        && reached(room.by_task.get(&(candidate.dag_id.clone(), task())), most)
    {
        return reason(format!("waiting: this task has reached `max_active_tis_per_dag` ({most}) over all runs"));
    }
    if let Some(most) = candidate.max_active_tis_per_dagrun
        && reached(room.by_run_task.get(&(candidate.run, task())), most)
    {
        return reason(format!("waiting: this task has reached `max_active_tis_per_dagrun` ({most}) in its run"));
    }
    None
}

impl Room {
    /// Returns the pools that may serve anyone, each with the most slots that a candidate may ask for. Who asks for
    /// more than is free, but not for more than there are, must be shown: it holds the free slots for itself.
    pub fn open_pools(&self) -> impl Iterator<Item = (&str, i64)> {
        self.pools
            .iter()
            .filter(|&(name, &free)| free > 0 && !self.held.contains(name))
            .map(|(name, &free)| (name.as_str(), self.pool_sizes.get(name).copied().unwrap_or(free)))
    }

    /// Returns how many slots are free in the open pools together.
    pub fn open_slots(&self) -> usize {
        let free = self.open_pools().map(|(name, _)| self.pools.get(name).copied().unwrap_or_default());
        usize::try_from(free.fold(0, i64::saturating_add)).unwrap_or(usize::MAX)
    }

    /// Takes what a granted task instance uses.
    pub fn charge(&mut self, granted: &Waiting) {
        if let Some(free) = self.pools.get_mut(&granted.pool) {
            *free -= i64::from(granted.pool_slots);
        }
        *self.by_run.entry(granted.run).or_default() += 1;
        *self.by_task.entry((granted.dag_id.clone(), granted.task_id.clone())).or_default() += 1;
        *self.by_run_task.entry((granted.run, granted.task_id.clone())).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::testing::at, id::RunKey};

    fn waiting(task: &str) -> Waiting {
        Waiting {
            run: RunKey(1),
            dag_id: "d".into(),
            task_id: task.into(),
            map_index: -1,
            pool: "p".into(),
            pool_slots: 1,
            priority_weight: 1,
            logical_date: at(0),
            max_active_tasks: 16,
            max_active_tis_per_dag: None,
            max_active_tis_per_dagrun: None,
        }
    }

    fn many(names: &[&str], change: impl Fn(usize, &mut Waiting)) -> Vec<Waiting> {
        let mut all: Vec<_> = names.iter().map(|name| waiting(name)).collect();
        all.iter_mut().enumerate().for_each(|(at, one)| change(at, one));
        all
    }

    fn room(free: i64) -> Room {
        let pools = [("p".to_owned(), free), ("q".to_owned(), 10)];
        let pool_sizes = [("p".to_owned(), 10), ("q".to_owned(), 10)];
        Room { pools: pools.into(), pool_sizes: pool_sizes.into(), ..Room::default() }
    }

    #[track_caller]
    fn check(waiting: &[Waiting], mut room: Room, expected: &[usize]) {
        assert_eq!(hand_out(waiting, &mut room), expected);
        // Nobody else fits into what is left.
        assert_eq!(
            hand_out(
                &expected.iter().fold(waiting.to_vec(), |mut rest, &at| {
                    rest[at].pool = "gone".into();
                    rest
                }),
                &mut room
            ),
            Vec::<usize>::new()
        );
    }

    #[test]
    fn the_order_is_priority_then_date_then_names() {
        let all = many(&["e", "d", "c", "b", "a", "a"], |at, one| match at {
            0 => one.priority_weight = 9,
            1 => one.logical_date = self::at(0) - std::time::Duration::from_secs(1),
            2 => one.dag_id = "a".into(),
            4 => one.map_index = 3,
            5 => one.map_index = 2,
            _ => {}
        });
        assert_eq!(in_order(&all), [0, 1, 2, 5, 4, 3]);
    }

    #[test]
    fn a_pool_gives_what_it_has() {
        let all = many(&["a", "b", "c"], |_, _| {});
        check(&all, room(2), &[0, 1]);
        check(&all, room(0), &[]);
        check(&all, room(-3), &[]);
    }

    #[test]
    fn an_unknown_pool_has_no_slots() {
        let all = many(&["a", "b"], |at, one| {
            if at == 0 {
                one.pool = "nope".into()
            }
        });
        check(&all, room(1), &[1]);
    }

    #[test]
    fn a_full_pool_or_limit_never_holds_up_another() {
        let all = many(&["a", "b", "c", "d"], |at, one| match at {
            0 => one.pool = "q".into(),
            1 => one.run = RunKey(2),
            2 => one.max_active_tis_per_dag = Some(0),
            _ => {}
        });
        check(&all, room(0), &[0]);
        let mut crowded = room(5);
        crowded.by_run.insert(RunKey(2), 16);
        check(&all, crowded, &[0, 3]);
    }

    #[test]
    fn the_limits_of_run_and_task_hold() {
        check(&many(&["a", "b", "c"], |_, one| one.max_active_tasks = 2), room(9), &[0, 1]);
        let same = |change: fn(&mut Waiting)| {
            many(&["a", "a", "a"], move |at, one| {
                one.run = RunKey(if at == 2 { 2 } else { 1 });
                one.map_index = i32::try_from(at).unwrap();
                change(one);
            })
        };
        check(&same(|one| one.max_active_tis_per_dag = Some(1)), room(9), &[0]);
        check(&same(|one| one.max_active_tis_per_dagrun = Some(1)), room(9), &[0, 2]);
    }

    #[test]
    fn a_big_task_holds_back_its_own_pool_until_it_fits() {
        let all = many(&["big", "small", "other"], |at, one| match at {
            0 => (one.pool_slots, one.priority_weight) = (4, 5),
            2 => one.pool = "q".into(),
            _ => {}
        });
        check(&all, room(3), &[2]);
        check(&all, room(4), &[0, 2]);
        check(&all, room(5), &[0, 2, 1]);
    }

    #[test]
    fn a_pool_stays_held_from_page_to_page() {
        let all = many(&["big", "small", "other"], |at, one| match at {
            0 => (one.pool_slots, one.priority_weight) = (4, 5),
            2 => one.pool = "q".into(),
            _ => {}
        });
        let mut room = room(3);
        assert_eq!(room.open_pools().collect::<Vec<_>>(), [("p", 10), ("q", 10)]);
        assert_eq!(hand_out(&all[..1], &mut room), [0_usize; 0]);
        assert_eq!(room.open_pools().collect::<Vec<_>>(), [("q", 10)]);
        assert_eq!(hand_out(&all[1..], &mut room), [1]);
    }

    #[test]
    fn what_comes_before_a_big_task_is_not_held_back() {
        let all = many(&["big", "small"], |at, one| match at {
            0 => one.pool_slots = 4,
            _ => one.priority_weight = 5,
        });
        check(&all, room(4), &[1]);
    }

    #[test]
    fn what_can_never_fit_or_is_at_a_limit_holds_back_nobody() {
        let never = many(&["big", "small"], |at, one| {
            if at == 0 {
                one.pool_slots = 11
            }
        });
        check(&never, room(3), &[1]);
        let limited = many(&["big", "small"], |at, one| {
            if at == 0 {
                (one.pool_slots, one.max_active_tis_per_dag) = (4, Some(0));
            }
        });
        check(&limited, room(3), &[1]);
        let unknown_size = many(&["big", "small"], |at, one| {
            if at == 0 {
                one.pool_slots = 4
            }
        });
        check(&unknown_size, Room { pool_sizes: [].into(), ..room(3) }, &[1]);
    }

    #[test]
    fn a_waiting_task_says_what_it_waits_for() {
        let text = |waiting: &Waiting, room: &Room, ahead| {
            explain_dispatch(waiting, room, ahead).iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
        };
        let mut one = waiting("a");
        assert_eq!(
            text(&one, &room(0), 2),
            "waiting: pool `p` has no free slot (10 of 10 in use); next in line after 2 others"
        );
        assert_eq!(text(&one, &room(2), 0), "waiting: it gets its slots of pool `p` in a moment; next in line");
        one.pool_slots = 4;
        assert_eq!(
            text(&one, &room(1), 1),
            "waiting: pool `p` has only 1 slot free (9 of 10 in use, it asks for 4); next in line after 1 other"
        );
        one.pool_slots = 11;
        assert_eq!(text(&one, &room(1), 0), "waiting: it asks for 11 slots, and pool `p` has only 10 in all");
        one.pool = "nope".into();
        assert_eq!(text(&one, &room(1), 0), "waiting: pool `nope` does not exist (there are: `p`, `q`)");
        let limited = Waiting { max_active_tasks: 0, ..waiting("a") };
        assert_eq!(text(&limited, &room(1), 0), "waiting: its run has reached `max_active_tasks` (0)");
    }
}
