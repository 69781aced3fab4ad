//! What a command does to a player's ball. The page has the same rule in `predict.js`, so that it can be ahead of the server.

use std::collections::VecDeque;

/// Steps of the scene in a second.
pub const STEPS_A_SECOND: u32 = 60;

/// The length of a step, in seconds.
pub const STEP: f32 = 1.0 / 60.0;

/// What a player wants for the length of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Command {
    /// Towards positive x: 127 is as fast as it gets.
    pub x: i8,
    /// Towards positive z.
    pub z: i8,
    /// [`JUMP`](Self::JUMP) and [`BOOST`](Self::BOOST); other bits mean nothing.
    pub buttons: u8,
}

impl Command {
    /// Leaves the ground.
    pub const JUMP: u8 = 1;
    /// Rolls faster.
    pub const BOOST: u8 = 2;

    /// Does it want anything?
    #[must_use]
    pub fn is_idle(self) -> bool {
        self.x == 0 && self.z == 0 && self.buttons & Self::JUMP == 0
    }
}

/// The velocity after a command, in metres a second.
#[must_use]
pub fn drive(velocity: [f32; 3], grounded: bool, command: Command) -> [f32; 3] {
    let [mut x, mut y, mut z] = velocity;
    let (mut to_x, mut to_z) = (f32::from(command.x) / 127.0, f32::from(command.z) / 127.0);
    let length = to_x.hypot(to_z).max(1.0);
    let speed = if command.buttons & Command::BOOST == 0 { SPEED } else { BOOST_SPEED } / length;
    (to_x, to_z) = (to_x * speed, to_z * speed);
    let most = STEP
        * match (grounded, command.x == 0 && command.z == 0) {
            (true, false) => GROUND_ACCELERATION,
            (true, true) => COASTING,
            (false, false) => AIR_ACCELERATION,
            (false, true) => 0.0,
        };
    let (by_x, by_z) = (to_x - x, to_z - z);
    let wanted = by_x.hypot(by_z);
    let share = if wanted > most { most / wanted } else { 1.0 };
    x += by_x * share;
    z += by_z * share;
    if grounded && command.buttons & Command::JUMP != 0 {
        y = y.max(JUMP_SPEED);
    }
    [x, y, z]
}

/// Metres a second.
const SPEED: f32 = 9.0;
const BOOST_SPEED: f32 = 14.0;
const JUMP_SPEED: f32 = 7.5;

/// Metres a second, each second.
const GROUND_ACCELERATION: f32 = 32.0;
const AIR_ACCELERATION: f32 = 10.0;
const COASTING: f32 = 9.0;

/// The commands of one player that the scene has not obeyed yet. Bounded: a client that sends faster than the scene steps loses its oldest.
#[derive(Debug, Default)]
pub struct Commands {
    /// Invariant: at most [`MOST_WAITING`](Self::MOST_WAITING), numbered without gaps, the last one `newest`.
    waiting: VecDeque<Command>,
    newest: u32,
    current: Command,
    /// Steps since the last command came.
    silent: u32,
}

impl Commands {
    /// What waits longer would be felt as delay: a tenth of a second.
    pub const MOST_WAITING: usize = 6;

    /// After so many steps without a command a player wants nothing: its connection is gone or its tab is hidden.
    pub const SILENCE: u32 = STEPS_A_SECOND / 4;

    /// Takes those that are new. `last` is the number of the last of them.
    pub fn push(&mut self, last: u32, commands: &[Command]) {
        let ahead = last.wrapping_sub(self.newest);
        if ahead == 0 || ahead > u32::MAX / 2 {
            return;
        }
        let new = commands.len().min(usize::try_from(ahead).unwrap_or(usize::MAX));
        self.waiting.extend(commands.iter().skip(commands.len() - new));
        self.newest = last;
        while self.waiting.len() > Self::MOST_WAITING {
            self.waiting.pop_front();
        }
    }

    /// What the player wants in this step, and the number of the last command that counts for it. Without a new one the last one goes on.
    pub fn obey(&mut self) -> (Command, u32) {
        match self.waiting.pop_front() {
            Some(command) => (self.current, self.silent) = (command, 0),
            None => self.silent = self.silent.saturating_add(1),
        }
        if self.silent > Self::SILENCE {
            self.current = Command::default();
        }
        let waiting = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        (self.current, self.newest.wrapping_sub(waiting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EAST: Command = Command { x: 127, z: 0, buttons: 0 };
    const SOUTH: Command = Command { x: 0, z: 127, buttons: 0 };

    #[test]
    fn a_ball_reaches_its_speed_and_rolls_to_a_stop() {
        let mut velocity = [0.0; 3];
        for _ in 0..60 {
            velocity = drive(velocity, true, EAST);
        }
        assert_eq!(velocity, [SPEED, 0.0, 0.0]);
        for _ in 0..61 {
            velocity = drive(velocity, true, Command::default());
        }
        assert_eq!(velocity, [0.0, 0.0, 0.0]);
    }

    #[test]
    fn no_direction_is_faster_than_another() {
        let mut velocity = [0.0; 3];
        for _ in 0..120 {
            velocity = drive(velocity, true, Command { x: -128, z: -128, buttons: Command::BOOST });
        }
        assert!((velocity[0].hypot(velocity[2]) - BOOST_SPEED).abs() < 1e-3, "{velocity:?}");
    }

    #[test]
    fn a_jump_needs_ground() {
        let jump = Command { buttons: Command::JUMP, ..EAST };
        assert_eq!(drive([0.0, -1.0, 0.0], false, jump)[1], -1.0);
        assert_eq!(drive([0.0, -1.0, 0.0], true, jump)[1], JUMP_SPEED);
    }

    #[test]
    fn commands_are_obeyed_once_and_in_order() {
        let mut commands = Commands::default();
        commands.push(2, &[EAST, SOUTH]);
        commands.push(2, &[EAST, SOUTH]);
        commands.push(3, &[SOUTH, EAST]);
        assert_eq!([commands.obey(), commands.obey(), commands.obey()], [(EAST, 1), (SOUTH, 2), (EAST, 3)]);
        commands.push(1, &[SOUTH]);
        assert_eq!(commands.obey(), (EAST, 3), "an old one came late, and the last one goes on");
    }

    #[test]
    fn a_flood_of_commands_keeps_the_newest() {
        let mut commands = Commands::default();
        for last in 1..=100 {
            commands.push(last, &[if last == 95 { SOUTH } else { EAST }]);
        }
        assert_eq!(commands.waiting.len(), Commands::MOST_WAITING);
        assert_eq!(commands.obey(), (SOUTH, 95));
    }

    #[test]
    fn who_says_nothing_stops() {
        let mut commands = Commands::default();
        commands.push(1, &[EAST]);
        let steps = (0..100).take_while(|_| commands.obey().0 == EAST).count();
        assert_eq!(steps, 1 + Commands::SILENCE as usize);
    }
}
