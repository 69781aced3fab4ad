//! What players meet, without a clock.

use super::*;
use crate::world::arena::KINDS;
use crate::world::delta;
use crate::world::drive::Commands;

const EAST: Command = Command { x: 127, z: 0, buttons: 0 };

fn run(scene: &mut Scene, steps: u32, mut each: impl FnMut(&mut Scene, u32)) {
    for step in 1..=steps {
        each(scene, step);
        scene.step();
    }
}

#[test]
fn every_prop_is_of_a_kind_that_there_is_and_nobody_begins_inside_of_something() {
    let props = arena::props();
    assert!(props.iter().all(|prop| usize::from(prop.kind) < KINDS.len() && prop.kind != arena::PLAYER));
    let places = props.iter().map(|prop| prop.position);
    for number in 0..20 {
        let [x, _, z] = arena::spawn(number);
        assert!(
            places.clone().all(|[other_x, _, other_z]| (x - other_x).hypot(z - other_z) > 2.5),
            "{number}"
        );
    }
}

#[test]
fn a_world_without_players_falls_asleep_and_then_costs_nothing() {
    let mut scene = Scene::new();
    run(&mut scene, 600, |_, _| {});
    let was = scene.snapshot();
    run(&mut scene, 60, |_, _| {});
    let is = scene.snapshot();
    let awake: Vec<_> = was.bodies().iter().zip(is.bodies()).filter(|(was, is)| was != is).collect();
    assert!(awake.is_empty(), "{awake:?}");
    assert_eq!(delta::encode(&was, &is).len(), 10);
    let (_, first) = was.bodies().first().expect("there are things");
    let home = arena::props()[0].position;
    assert!(
        quantise::metres(first.position).iter().zip(home).all(|(is, was)| (is - was).abs() < 0.1),
        "the pyramid stands: {first:?}"
    );
}

#[test]
fn a_player_drives_where_it_wants_and_falls_into_the_sea_and_comes_back() {
    let mut scene = Scene::new();
    let id = scene.join().expect("there is room");
    let place = |scene: &Scene| quantise::metres(scene.snapshot().body(id).expect("it plays").position);
    run(&mut scene, 60, |_, _| {});
    let began = place(&scene);
    let mut went_down = false;
    run(&mut scene, 30, |scene, step| scene.command(id, EAST, step));
    assert!(place(&scene)[0] > began[0] + 1.0, "{began:?} {:?}", place(&scene));
    assert_eq!(scene.own(id).expect("it plays").last, 30);
    let mut came_back = false;
    run(&mut scene, 600, |scene, step| {
        scene.command(id, EAST, step);
        let y = place(scene)[1];
        came_back |= went_down && y > 0.0;
        went_down |= y < -5.0;
    });
    assert!(went_down && came_back);
}

#[test]
fn a_jump_leaves_the_ground_once() {
    let mut scene = Scene::new();
    let id = scene.join().expect("there is room");
    run(&mut scene, 90, |_, _| {});
    assert!(scene.own(id).expect("it plays").grounded);
    let jump = Command { buttons: Command::JUMP, ..Command::default() };
    let mut highest: f32 = 0.0;
    run(&mut scene, 30, |scene, step| {
        scene.command(id, jump, step);
        highest = highest.max(quantise::metres(scene.own(id).expect("it plays").position)[1]);
    });
    assert!((1.5..3.0).contains(&highest), "{highest}");
}

#[test]
fn players_push_things_about_and_the_last_one_leaves_a_tidy_place() {
    let mut scene = Scene::new();
    run(&mut scene, 300, |_, _| {});
    let before = scene.snapshot();
    let ids: Vec<_> = (0..20).filter_map(|_| scene.join()).collect();
    run(&mut scene, 300, |scene, step| {
        for (index, id) in (0_i8..).zip(&ids) {
            let turn = i8::try_from(step / 40 % 4).expect("small") * 25;
            let command = Command { x: index * 6 - 60, z: turn - index * 2, buttons: Command::BOOST };
            scene.command(*id, command, step);
        }
    });
    let during = scene.snapshot();
    let moved = before
        .bodies()
        .iter()
        .filter(|(id, body)| during.body(*id).is_some_and(|is| is.position != body.position))
        .count();
    assert!(moved > 5, "{moved}");
    ids.iter().for_each(|id| scene.leave(*id));
    run(&mut scene, 300, |_, _| {});
    let after = scene.snapshot();
    assert_eq!(after.bodies().len(), before.bodies().len());
    for ((_, was), (_, is)) in before.bodies().iter().zip(after.bodies()) {
        let far = was.position.iter().zip(is.position).map(|(was, is)| was.abs_diff(is)).max();
        assert!(far < Some(100), "{was:?} {is:?}");
    }
}

#[test]
fn numbers_of_players_are_used_again_and_bounded() {
    let mut scene = Scene::new();
    let ids: Vec<_> = std::iter::from_fn(|| scene.join()).collect();
    assert_eq!((ids.len(), scene.players()), (Scene::MOST_PLAYERS, Scene::MOST_PLAYERS));
    scene.leave(ids[7]);
    scene.leave(ids[7]);
    scene.leave(0);
    assert_eq!(scene.players(), Scene::MOST_PLAYERS - 1);
    assert_eq!(scene.join(), Some(ids[7]));
}

#[test]
fn the_same_commands_make_the_same_world() {
    let play = || {
        let mut scene = Scene::new();
        let ids: Vec<_> = (0..8).filter_map(|_| scene.join()).collect();
        let mut commands: Vec<Commands> = ids.iter().map(|_| Commands::default()).collect();
        run(&mut scene, 240, |scene, step| {
            for (index, (id, commands)) in (0_i8..).zip(ids.iter().zip(&mut commands)) {
                commands.push(step, &[Command { x: 100 - index * 10, z: index * 15 - 60, buttons: 3 }]);
                let (command, last) = commands.obey();
                scene.command(*id, command, last);
            }
        });
        scene.snapshot()
    };
    assert_eq!(play(), play());
}
