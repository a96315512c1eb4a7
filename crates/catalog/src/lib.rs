//! The core: repositories, refs, the commit graph, staging, layers and every operation on them.
