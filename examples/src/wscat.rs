//! What `wscat` is made of: options, commands, the two ways to read input, the screen, and the conversation itself.

mod command;
mod editor;
mod ending;
mod input;
mod json;
mod open;
mod options;
mod screen;
mod talk;

pub use ending::Ending;
pub use options::Options;

use input::Inputs;
use screen::Screen;
use std::io::IsTerminal;
use talk::Ended;

/// Connects, talks, and tells how it ended.
pub async fn run(options: Options) -> Ending {
    let mut screen = Screen::new(&options);
    let Ended(ending, text) = match open::open(&options, &screen).await {
        Ok(opened) if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() => {
            match editor::start(&options, &mut screen) {
                Ok((inputs, terminal)) => {
                    let ended = talk::talk(opened, inputs, &screen, &options).await;
                    screen.leave_prompt(|| terminal.restore());
                    ended
                }
                Err(error) => {
                    Ended(Ending::Usage, format!("lines cannot be edited on this terminal: {error}"))
                }
            }
        }
        Ok(opened) => {
            let inputs = Inputs::of_stdin(options.commands, options.binary);
            talk::talk(opened, inputs, &screen, &options).await
        }
        Err(ended) => ended,
    };
    if ending == Ending::Clean {
        screen.notice(&text);
    } else {
        screen.fault(&text);
    }
    ending
}
