//! Releases, deploys and rollbacks on a real engine, behind real proxies and under load.

mod bed;
mod databases;
mod interrupted;
mod refused;
mod routed;
