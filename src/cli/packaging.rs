//! Completions and manual pages, made from the parser's own description of itself.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Cli;
use super::usage::{Result, usage};

/// Returns the script that completes options in `shell`.
pub(super) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    let mut command = shown(&Cli::command());
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

/// Returns the command without hidden options and commands, which some scripts would offer.
fn shown(command: &clap::Command) -> clap::Command {
    let about = command.get_about().cloned().unwrap_or_default();
    let options = command.get_arguments().filter(|option| !option.is_hide_set());
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
    clap::Command::new(command.get_name().to_owned())
        .about(about)
        .version(env!("CARGO_PKG_VERSION"))
        .args(options)
        .subcommands(commands.map(shown))
}

/// Returns the manual page of the program, or of one of its commands, as roff.
pub(super) fn manual(of: Option<&str>) -> Result<Vec<u8>> {
    let mut program = Cli::command();
    program.build();
    let page = match of {
        None => program,
        Some(name) => command_page(&program, name)?,
    };
    let mut roff = Vec::new();
    Man::new(page).render(&mut roff).expect("memory can be written to");
    let roff = String::from_utf8(roff).expect("the help texts are UTF-8");
    // The examples are there to be copied, so that no line is hyphenated (`.nh`) or stretched
    // (`.ad l`). `.TH` resets both, and the section of the name follows it.
    Ok(roff.replacen(FIRST_SECTION, &format!(".nh\n.ad l\n{FIRST_SECTION}"), 1).into_bytes())
}

/// The line after the title of a manual page.
const FIRST_SECTION: &str = ".SH NAME\n";

fn command_page(program: &clap::Command, name: &str) -> Result<clap::Command> {
    let shown = || program.get_subcommands().filter(|command| !command.is_hide_set());
    if let Some(found) = shown().find(|command| command.get_name() == name) {
        // man(1) finds the page by this name, as `man fetchpages-compare`.
        let title = format!("{}-{name}", program.get_name());
        return Ok(found.clone().name(title).version(env!("CARGO_PKG_VERSION")));
    }
    let known: Vec<_> = shown().map(clap::Command::get_name).collect();
    let hint = format!("there are {}", known.join(", "));
    usage(format!("man: there is no command {name:?}"), hint)
}
