//! Completions and manual pages have all options of the parser.

use crate::support::Place;

#[test]
fn manual_pages_name_every_option() {
    let mut program = fetchpages::cli::description();
    program.build();
    let shown = |command: &&clap::Command| !command.is_hide_set();
    let commands = program.get_subcommands().filter(shown).map(|command| (Some(command), command));
    let mut options = 0;
    for (named, command) in commands.chain([(None, &program)]) {
        let name = named.map(clap::Command::get_name);
        let arguments: Vec<_> = ["man"].into_iter().chain(name).collect();
        let page = Place::new().run(&arguments).code(0).stdout;
        let title = name.map_or("fetchpages".to_owned(), |name| format!("fetchpages-{name}"));
        assert!(page.contains(&format!(".TH {title} 1")), "{title}: {page}");
        for option in command.get_arguments().filter(|option| !option.is_hide_set()) {
            let Some(long) = option.get_long() else { continue };
            let roff = long.replace('-', r"\-");
            assert!(page.contains(&format!(r"\-\-{roff}")), "{title} has no {long}");
            options += 1;
        }
    }
    assert!(options > 60, "only {options} options were looked for");
    let message = Place::new().run(&["man", "child"]).code(2).stderr;
    assert!(message.contains("no command") && message.contains("verify, "), "{message}");
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Place::new().run(&["completions", shell]).code(0).stdout;
        assert!(script.contains("--workers") || script.contains("-l workers"), "{shell}");
        assert!(script.contains("verify") && !script.contains("until-stdin-ends"), "{shell}");
    }
    let message = Place::new().run(&["completions", "csh"]).code(2).stderr;
    assert!(message.contains("csh") && message.contains("zsh"), "{message}");
}
