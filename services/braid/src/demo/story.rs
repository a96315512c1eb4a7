//! The story that the demonstration tells. Each step checks its result; the first that is not as it must be ends it.

use std::collections::BTreeMap;

use anyhow::{bail, ensure};
use braid_client::{
    CommitBranch, CommitInfo, CreateBranch, CreateTag, Diff, DiffItem, DiffKind, DiffMode,
    ListMergeConflicts, Log, Merge, MergeStrategy, Revert,
};
use braid_types::{BranchName, Code, ObjectPath, PathPrefix, RefExpression, TagName};
use bytes::Bytes;

use super::folder::SourceFile;
use super::lake::{Expected, Lake, Source, whole};
use super::screen::{Screen, bytes, count};

/// Added, changed and removed paths.
type Counts = (usize, usize, usize);

/// Tells the story and sums it up.
pub(super) async fn tell(lake: &Lake, screen: &Screen, files: Vec<SourceFile>) -> anyhow::Result<String> {
    let (main, work) = (BranchName::new("main")?, BranchName::new("work")?);
    let story = Story { lake, screen, main, work };
    let (first, original) = Box::pin(story.upload_and_commit(files)).await?;
    let changed = Box::pin(story.change_on_a_branch(&original)).await?;
    let merged = Box::pin(story.merge(&changed)).await?;
    let settled = Box::pin(story.conflict(&changed)).await?;
    story.tag_and_log().await?;
    Box::pin(story.revert(&settled, &changed)).await?;
    let mut objects = 0;
    let mut read = 0;
    for (what, commit, expected) in [
        ("the first commit", &first, &original),
        ("the merge", &merged, &changed),
        ("tag v1", &settled.0, &settled.1),
    ] {
        let mut step = screen.begin(&format!("read back {what}"), expected.len());
        let bytes_read = Box::pin(lake.verify(&commit.id, expected, &mut step)).await?;
        let rate = step.rate(expected.len());
        step.end(&format!("{} objects, {} compared, {rate}", count(expected.len()), bytes(bytes_read)));
        objects += expected.len();
        read += bytes_read;
    }
    Ok(format!(
        "{} objects ({}) read back at three commits are what was written",
        count(objects),
        bytes(read)
    ))
}

struct Story<'a> {
    lake: &'a Lake,
    screen: &'a Screen,
    main: BranchName,
    work: BranchName,
}

impl Story<'_> {
    async fn upload_and_commit(&self, files: Vec<SourceFile>) -> anyhow::Result<(CommitInfo, Expected)> {
        let (number, size) = (files.len(), files.iter().map(|file| file.size).sum());
        let sources = files.into_iter().map(|file| (file.path, Source::File(file.file))).collect();
        let mut step = self.screen.begin("upload", number);
        let expected = self.lake.upload(&self.main, sources, &mut step).await?;
        let rate = step.rate(number);
        step.end(&format!("{} files, {} through presigned URLs, {rate}", count(number), bytes(size)));
        let commit = self.commit(&self.main, "Add all files").await?;
        Ok((commit, expected))
    }

    async fn commit(&self, branch: &BranchName, message: &str) -> anyhow::Result<CommitInfo> {
        let step = self.screen.begin(&format!("commit {branch}"), 0);
        let request = CommitBranch {
            repository: self.lake.repository().clone(),
            branch: branch.clone(),
            message: message.to_owned(),
            metadata: BTreeMap::new(),
            allow_empty: false,
            date: None,
        };
        let commit = self.lake.client.commit(request).await?;
        step.end(&format!("{}  {message}", short(&commit)));
        Ok(commit)
    }

    /// On a new branch one file of a hundred is changed, as many are deleted, and ten are added.
    async fn change_on_a_branch(&self, original: &Expected) -> anyhow::Result<Expected> {
        let step = self.screen.begin("branch", 0);
        let request = CreateBranch {
            repository: self.lake.repository().clone(),
            name: self.work.clone(),
            source: expression("main")?,
            hidden: false,
        };
        self.lake.client.create_branch(request).await?;
        step.end("work, from main");

        let some = (original.len() / 100).clamp(2, 500);
        let paths: Vec<&ObjectPath> = original.keys().collect();
        let spread =
            |offset: usize| paths.iter().skip(offset).step_by(paths.len() / some).take(some).copied();
        let added: Vec<ObjectPath> = (0..10)
            .map(|number| ObjectPath::new(format!("braid-demo/new-{number}.txt")))
            .collect::<Result<_, _>>()?;
        let deleted: Vec<ObjectPath> = spread(1).cloned().collect();
        let written =
            spread(0).chain(&added).map(|path| (path.clone(), text(path, "changed on work"))).collect();

        let mut expected = original.clone();
        let mut step = self.screen.begin("change, add, delete", 0);
        expected.extend(self.lake.upload(&self.work, written, &mut step).await?);
        self.lake.client.delete_objects(self.lake.repository(), &self.work, deleted.clone()).await?;
        expected.retain(|path, _| !deleted.contains(path));
        step.end(&format!("{some} changed, {} added, {} deleted on work", added.len(), deleted.len()));
        self.commit(&self.work, "Change, add and delete files").await?;

        let step = self.screen.begin("diff main...work", 0);
        let (more, other, fewer) = self.diff("main", "work").await?;
        ensure!(
            (more, other, fewer) == (added.len(), some, deleted.len()),
            "the diff is not what was changed"
        );
        step.end(&format!("+{more} ~{other} -{fewer}, as it must be"));
        Ok(expected)
    }

    async fn diff(&self, left: &str, right: &str) -> anyhow::Result<Counts> {
        let request = Diff {
            repository: self.lake.repository().clone(),
            left: expression(left)?,
            right: expression(right)?,
            mode: DiffMode::ThreeDot,
            prefix: PathPrefix::default(),
            delimiter: None,
            after: None,
        };
        let mut counts = (0, 0, 0);
        for item in whole(|| self.lake.client.diff(request.clone())).await? {
            let DiffItem::Entry(difference) = item else { continue };
            match difference.kind {
                DiffKind::Added => counts.0 += 1,
                DiffKind::Changed => counts.1 += 1,
                DiffKind::Removed => counts.2 += 1,
            }
        }
        Ok(counts)
    }

    async fn merge(&self, expected: &Expected) -> anyhow::Result<CommitInfo> {
        let step = self.screen.begin("merge work into main", 0);
        let commit = self.lake.client.merge(self.merge_request(MergeStrategy::Refuse)).await?;
        let differences = self.diff("work", "main").await?;
        ensure!(differences == (0, 0, 0), "after the merge main differs from work");
        step.end(&format!("{}  main has {} objects", short(&commit), count(expected.len())));
        Ok(commit)
    }

    fn merge_request(&self, strategy: MergeStrategy) -> Merge {
        Merge {
            repository: self.lake.repository().clone(),
            source: RefExpression::parse(self.work.as_str()).expect("a branch name is a ref expression"),
            destination: self.main.clone(),
            strategy,
            message: None,
            metadata: BTreeMap::new(),
            squash: false,
            allow_empty: false,
        }
    }

    /// Both branches change the same two files; the merge refuses, names them, and goes through with a strategy.
    async fn conflict(&self, before: &Expected) -> anyhow::Result<(CommitInfo, Expected)> {
        let both: Vec<&ObjectPath> = before.keys().take(2).collect();
        let write = |what: &str| both.iter().map(|path| ((*path).clone(), text(path, what))).collect();
        let mut step = self.screen.begin("change both sides", 0);
        self.lake.upload(&self.main, write("main's own words"), &mut step).await?;
        let theirs = self.lake.upload(&self.work, write("work's own words"), &mut step).await?;
        step.end("the same 2 files on main and on work");
        self.commit(&self.main, "Change two files on main").await?;
        self.commit(&self.work, "Change two files on work").await?;

        let step = self.screen.begin("merge, refused", 0);
        match self.lake.client.merge(self.merge_request(MergeStrategy::Refuse)).await {
            Err(error) if error.code() == Code::MergeConflict => {}
            Err(error) => return Err(error.into()),
            Ok(_) => bail!("a merge with conflicts went through"),
        }
        let request = ListMergeConflicts {
            repository: self.lake.repository().clone(),
            source: expression("work")?,
            destination: self.main.clone(),
        };
        let conflicts = whole(|| self.lake.client.list_merge_conflicts(request.clone())).await?;
        let paths: Vec<&ObjectPath> = conflicts.iter().map(|conflict| &conflict.path).collect();
        ensure!(paths == both, "the conflicts are not the files that both sides changed");
        step.end(&format!("{} conflicts:", paths.len()));
        for path in paths {
            self.screen.say(&format!("      both changed '{path}'"));
        }
        let step = self.screen.begin("merge, source wins", 0);
        let commit = self.lake.client.merge(self.merge_request(MergeStrategy::SourceWins)).await?;
        step.end(&short(&commit));
        let mut expected = before.clone();
        expected.extend(theirs);
        Ok((commit, expected))
    }

    async fn tag_and_log(&self) -> anyhow::Result<()> {
        let step = self.screen.begin("tag", 0);
        let request = CreateTag {
            repository: self.lake.repository().clone(),
            name: TagName::new("v1")?,
            reference: expression("main")?,
        };
        let tag = self.lake.client.create_tag(request).await?;
        step.end(&format!("v1 at {}", &tag.commit_id.to_hex()[..12]));
        let step = self.screen.begin("log main", 0);
        let request = Log {
            repository: self.lake.repository().clone(),
            reference: expression("main")?,
            limit: None,
            first_parent: false,
            since: None,
            stop_at: None,
            after: None,
            paths: Vec::new(),
            prefixes: Vec::new(),
        };
        let commits: Vec<CommitInfo> = whole(|| self.lake.client.log(request.clone())).await?;
        ensure!(commits.len() == 7, "the log has {} commits instead of 7", commits.len());
        step.end(&format!("{} commits:", commits.len()));
        for commit in &commits {
            self.screen.say(&format!("      {}  {}", short(commit), commit.commit.message));
        }
        Ok(())
    }

    /// Reverting the second merge gives main its own words back.
    async fn revert(&self, settled: &(CommitInfo, Expected), before: &Expected) -> anyhow::Result<()> {
        let step = self.screen.begin("revert the merge", 0);
        let request = Revert {
            repository: self.lake.repository().clone(),
            branch: self.main.clone(),
            reference: expression("main")?,
            parent_number: Some(1),
            allow_empty: false,
            message: None,
            metadata: BTreeMap::new(),
        };
        let commit = self.lake.client.revert(request).await?;
        let undone = self.diff("v1", "main").await?;
        ensure!(undone == (0, 2, 0), "the revert changed other files than the merge did");
        ensure!(settled.1.len() == before.len(), "the second merge changed the number of objects");
        step.end(&format!("{}  2 files as they were on main", short(&commit)));
        Ok(())
    }
}

fn text(path: &ObjectPath, what: &str) -> Source {
    Source::Bytes(Bytes::from(format!("{path}: {what}\n")))
}

fn expression(text: &str) -> anyhow::Result<RefExpression> {
    Ok(RefExpression::parse(text)?)
}

fn short(commit: &CommitInfo) -> String {
    commit.id.to_hex()[..12].to_owned()
}
