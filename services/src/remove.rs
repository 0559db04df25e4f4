//! Removes the data of services for good.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cluster::{CLUSTER_LINK, PLACED_NOTE, working_dirs};
use crate::data_dir::{DataDir, LOCK_FILE};
use crate::error::ServiceError;
use crate::leftovers;

/// Services are looked for this far down; the sandbox keeps them in folders right below its own.
const DEPTH: usize = 3;

/// Removes `dir`, which may be the data folder of one service or a folder of several.
///
/// Ends what is left running there by a parent that is dead, and follows the link to a cluster
/// that had to be placed elsewhere. Refuses with [`ServiceError::InUse`] while the parent lives,
/// and then nothing is removed. A folder that is not there is fine. Blocks; rarely for long.
pub fn remove_data(dir: &Path) -> Result<(), ServiceError> {
    if !dir.exists() {
        return Ok(());
    }
    let mut found = Vec::new();
    find_services(dir, DEPTH, &mut found);
    // All locks before the first removal, and held to the end.
    let locked = found
        .iter()
        .map(|path| DataDir::open(path))
        .collect::<Result<Vec<_>, _>>()?;
    for service in &locked {
        remove_processes_and_placed_cluster(service)?;
    }
    fs::remove_dir_all(dir).map_err(ServiceError::path("remove", dir))
}

fn remove_processes_and_placed_cluster(service: &DataDir) -> Result<(), ServiceError> {
    let link = service.join(CLUSTER_LINK);
    let mut dirs = vec![service.path().to_path_buf()];
    let home = link.canonicalize().ok();
    dirs.extend(home.iter().flat_map(|home| working_dirs(home)));
    leftovers::end_in(&dirs)?;
    let linked = fs::symlink_metadata(&link).is_ok_and(|meta| meta.is_symlink());
    match home {
        // Only what we placed: the user may have made a link of their own.
        Some(home) if linked && home.join(PLACED_NOTE).is_file() => {
            fs::remove_dir_all(&home).map_err(ServiceError::path("remove", &home))
        }
        _ => Ok(()),
    }
}

fn find_services(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    if dir.join(LOCK_FILE).is_file() {
        found.push(dir.to_path_buf());
        return;
    }
    if depth == 0 {
        return;
    }
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        // The type of the entry itself: links are not followed.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            find_services(&entry.path(), depth - 1, found);
        }
    }
}
