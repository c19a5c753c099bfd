//! `docs/from-make.md`: every old name has its row, every command in it can be typed, and both sides are run against the
//! same stack wherever that is safe. Where the old one is wrong, the wrong is shown first.

mod names;
mod old;
mod scripts;
mod shims;
mod stand_ins;
mod vrss;
