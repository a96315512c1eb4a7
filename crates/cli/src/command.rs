//! The commands.

use clap::{Parser, Subcommand};

use crate::commands::{
    apply, branch, cat, cherry_pick, commit, commit_set, completion, cp, diff, du, dump, fsck, get, import,
    info, log, ls, merge, merge_base, mv, pr, put, repo, restore, revert, rm, show, stat, tag, user, whoami,
};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::options::GlobalOptions;
use crate::session::Session;

/// Versioned data lakes: repositories, branches and commits over objects in S3.
#[derive(Debug, Parser)]
#[command(name = "braid", version, propagate_version = true)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub options: GlobalOptions,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do. A binary with more commands flattens this among its own.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make, list, show and delete repositories
    Repo(repo::Repo),
    /// Make, list, show, delete and reset branches
    Branch(branch::Branch),
    /// Make, list, show and delete tags
    Tag(tag::Tag),
    /// Upload a file or a folder
    Put(put::Put),
    /// Download an object, or everything under a prefix
    Get(get::Get),
    /// Print an object's data
    Cat(cat::Cat),
    /// Show what is known of an object
    Stat(stat::Stat),
    /// List objects
    Ls(ls::Ls),
    /// Show how much is stored under a prefix
    Du(du::Du),
    /// Delete an object, or everything in a directory
    Rm(rm::Rm),
    /// Move an object or a directory
    Mv(mv::Mv),
    /// Show an object at another path, too
    Cp(cp::Cp),
    /// Upload, delete and copy on several branches, all or none
    Apply(apply::Apply),
    /// Show what differs between two refs, or what is not committed on a branch
    Diff(diff::Diff),
    /// Commit a branch's changes
    Commit(commit::Commit),
    /// Give objects that are already in a bucket paths on a branch
    Import(import::Import),
    /// Commit, merge, reset and tag on several branches, all or none
    CommitSet(commit_set::CommitSet),
    /// Show history, newest first
    Log(log::Log),
    /// Show a commit and what it changed
    Show(show::Show),
    /// Merge a ref into a branch
    Merge(merge::Merge),
    /// Find a best common ancestor of two refs
    MergeBase(merge_base::MergeBase),
    /// Propose merges, list, change and do them
    Pr(pr::Pr),
    /// Undo a commit in a new one
    Revert(revert::Revert),
    /// Do a commit again in a new one
    CherryPick(cherry_pick::CherryPick),
    /// Check what is stored of a repository
    Fsck(fsck::Fsck),
    /// Write a dump of branches, tags and commits beside the trees
    Dump(dump::Dump),
    /// Restore branches, tags and commits from a dump
    Restore(restore::Restore),
    /// Make, list and delete users and their access keys
    User(user::User),
    /// Print a script that completes commands in a shell
    Completion(completion::Completion),
    /// Show as whom the server takes you
    Whoami(whoami::Whoami),
    /// Show the server's version, storage and limits
    Info(info::Info),
}

impl Command {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Repo(command) => command.run(session).await,
            Self::Branch(command) => command.run(session).await,
            Self::Tag(command) => command.run(session).await,
            Self::Put(command) => Box::pin(command.run(session)).await,
            Self::Get(command) => Box::pin(command.run(session)).await,
            Self::Cat(command) => Box::pin(command.run(session)).await,
            Self::Stat(command) => command.run(session).await,
            Self::Ls(command) => command.run(session).await,
            Self::Du(command) => command.run(session).await,
            Self::Rm(command) => command.run(session).await,
            Self::Mv(command) => command.run(session).await,
            Self::Cp(command) => command.run(session).await,
            Self::Apply(command) => Box::pin(command.run(session)).await,
            Self::Diff(command) => command.run(session).await,
            Self::Commit(command) => command.run(session).await,
            Self::Import(command) => Box::pin(command.run(session)).await,
            Self::CommitSet(command) => Box::pin(command.run(session)).await,
            Self::Log(command) => command.run(session).await,
            Self::Show(command) => command.run(session).await,
            Self::Merge(command) => command.run(session).await,
            Self::MergeBase(command) => command.run(session).await,
            Self::Pr(command) => Box::pin(command.run(session)).await,
            Self::Revert(command) => command.run(session).await,
            Self::CherryPick(command) => command.run(session).await,
            Self::Fsck(command) => command.run(session).await,
            Self::Dump(command) => command.run(session).await,
            Self::Restore(command) => Box::pin(command.run(session)).await,
            Self::User(command) => command.run(session).await,
            Self::Completion(_) => {
                unreachable!("completion asks nothing of a server and runs without a session")
            }
            Self::Whoami(command) => command.run(session).await,
            Self::Info(command) => command.run(session).await,
        }
    }
}
