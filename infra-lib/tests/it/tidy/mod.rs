//! What the sources must and must not say, where no compiler looks: one rule per file.

mod changelog;
mod doc_comments;
mod faults;
mod folders;
mod forbidden;
mod layers;
mod length;
mod mod_files;
mod names;
mod open;
mod prose;
mod safety;
mod source;
mod supply;
