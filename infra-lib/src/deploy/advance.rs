//! The steps of a deploy, in order.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::Container;
use crate::lock::{Lock, Mode};
use crate::project::error::{Error, Result};
use crate::release::Step;
use crate::stack::launch::launch_some;
use crate::stack::replicas;

use super::converge::{is_made_by, reload, write_routes};
use super::plan::{Action, Planned};
use super::routes::Route;
use super::run::{Deployment, ready};
use super::{cleanup, containers, images, preflight, watch};

impl Deployment<'_> {
    /// Goes forward until the release is live, or an error says why it cannot be.
    pub(super) fn advance(&mut self) -> Result<()> {
        self.step(Step::Images, |it| {
            let release = it.new.release().map(|running| running.release.clone());
            release.map_or(Ok(()), |release| images::hold(&it.new, &release))?;
            preflight::check_routes(&it.new, &it.plan, &it.passed.before)
        })?;
        self.step(Step::Backup, |it| (it.steps.backup)(&it.new))?;
        let early = self.changed(|it| it.action == Action::Replace && it.is_early);
        if !early.is_empty() {
            self.step(Step::Dependencies, |it| it.replace(&early))?;
        }
        self.step(Step::Migrate, |it| (it.steps.migrate)(&it.new))?;
        let routed = self.changed(|it| it.action == Action::Switch);
        if !routed.is_empty() {
            self.step(Step::Create, |it| {
                it.new.step(format_args!("starting {} beside what runs", names(&routed)));
                let present = it.new.containers()?;
                let with_old = |name: &str, count: u32| replicas::count(&present, name).saturating_add(count);
                let both = routed.iter().map(|(name, count)| (name.clone(), with_old(name, *count))).collect();
                containers::create(&it.new, &both)
            })?;
            self.step(Step::Ready, |it| it.launch(&routed))?;
        }
        self.step(Step::Switch, |it| {
            it.check_cancelled()?;
            write_routes(&it.new, &it.plan.routes)?;
            // One that is replaced reads them when it starts; until then, the old containers are there.
            let stays = |route: &&Route| it.plan.keeps(&route.via);
            reload(&it.new, it.plan.routes.iter().filter(stays))
        })?;
        let late = self.changed(|it| it.action == Action::Replace && !it.is_early);
        if !late.is_empty() {
            self.step(Step::Replace, |it| it.replace(&late))?;
        }
        self.check_cancelled()?;
        self.step(Step::Stop, |it| it.stop_old(&routed))?;
        let all: BTreeSet<String> = [early, late, routed].into_iter().flat_map(BTreeMap::into_keys).collect();
        let number = self.journal.number;
        self.step(Step::Watch, |it| {
            watch::watch(&it.settled, &all, number)?;
            cleanup::check(&it.settled)
        })
    }

    fn changed(&self, is_wanted: impl Fn(&Planned) -> bool) -> BTreeMap<String, u32> {
        self.plan.services(is_wanted)
    }

    fn check_cancelled(&self) -> Result<()> {
        self.new.cancel().check().map_err(Error::from)
    }

    /// Replaces services in place: the old containers are gone before the new ones start.
    fn replace(&self, services: &BTreeMap<String, u32>) -> Result<()> {
        // A backup, restore or migration at work comes to its end first.
        let has_database = self.new.postgres_services()?.into_iter().any(|name| services.contains_key(name));
        let lock = || self.new.lock(Lock::Database, Mode::Exclusive, "deploy");
        let _alone = has_database.then(lock).transpose()?;
        let is_new = services.values().all(|count| *count == 0);
        self.new.step(format_args!("{} {}", if is_new { "starting" } else { "replacing" }, names(services)));
        let present = self.new.containers()?;
        let is_old =
            |it: &&Container| services.contains_key(&it.service) && !it.one_off && !is_made_by(it, self.journal.number);
        containers::remove(&self.new, present.iter().filter(is_old))?;
        containers::create(&self.new, services)?;
        self.launch(services)
    }

    /// Starts the containers that this deploy made.
    fn launch(&self, services: &BTreeMap<String, u32>) -> Result<()> {
        let named = services.keys().cloned().collect();
        let is_ours = |it: &Container| !it.one_off && is_made_by(it, self.journal.number);
        ready(launch_some(&self.new, &named, is_ours, self.deadline(), &self.passed)?)
    }

    /// Stops the old containers of routed services once the requests that they still have may have ended.
    fn stop_old(&self, routed: &BTreeMap<String, u32>) -> Result<()> {
        let drains = self.plan.routes.iter().filter(|route| routed.contains_key(&route.service));
        if let Some(drain) = drains.map(|route| route.drain).max() {
            self.settled.cancel().sleep(drain)?;
        }
        let present = self.settled.containers()?;
        let is_old = |it: &&Container| {
            let is_replaced = routed.contains_key(&it.service) || self.plan.dropped.contains(&it.service);
            is_replaced && !it.one_off && !is_made_by(it, self.journal.number)
        };
        containers::stop(&self.settled, present.iter().filter(is_old))
    }
}

fn names(services: &BTreeMap<String, u32>) -> String {
    services.keys().cloned().collect::<Vec<_>>().join(", ")
}
