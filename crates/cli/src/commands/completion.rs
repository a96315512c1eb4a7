//! `completion`: a script that completes commands in a shell.

use clap::Args;
use clap_complete::Shell;

use crate::console::Console;
use crate::exit::Exit;
use crate::failure::Failure;

/// Arguments of `completion`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid completion bash > /etc/bash_completion.d/braid
  braid completion zsh > ~/.zfunc/_braid
  braid completion fish > ~/.config/fish/completions/braid.fish")]
pub struct Completion {
    /// For which shell
    shell: Shell,
}

impl Completion {
    /// Prints the script for all commands under `root`.
    pub(crate) async fn run(self, mut root: clap::Command, console: &mut Console) -> Result<Exit, Failure> {
        let name = root.get_name().to_owned();
        clap_complete::generate(self.shell, &mut root, name, &mut console.pending);
        console.flush().await?;
        Ok(Exit::Done)
    }
}
