//! Finds the region of a key and the address of a store: from memory, or from PD, which is asked once for all who wait.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{Region, RegionMap};
use crate::failure::{Failure, Setback};
use crate::flights::Flights;
use crate::memcomparable;
use crate::net::Address;
use crate::patience::{Patience, Pause};
use crate::pd::Pd;
use crate::proto::metapb::{self, Peer};
use crate::proto::pdpb::GetRegionResponse;
use crate::{Error, Settings};

/// Above the encoding of every key that is not all 0xFF for hundreds of bytes; see [`Look::Below`].
const FAR: [u8; 512] = [0xFF; 512];

/// What is known of regions and stores. A failed look-up is an error, never an empty answer.
#[derive(Debug)]
pub(crate) struct Directory {
    pd: Arc<Pd>,
    regions: Mutex<RegionMap>,
    look_ups: Flights<Look, ()>,
    permits: Arc<Semaphore>,
    stores: Mutex<HashMap<u64, Address>>,
    store_look_ups: Flights<u64, Address>,
}

/// A look-up under way. All keys of one gap between known regions share it: they are likely in one region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Look {
    At(Bytes),
    /// Of the region right below a bound.
    Below(Bytes),
}

impl Directory {
    pub(crate) fn new(pd: Arc<Pd>, settings: &Settings) -> Self {
        Self {
            pd,
            regions: Mutex::new(RegionMap::new(settings.regions)),
            look_ups: Flights::default(),
            permits: Arc::new(Semaphore::new(settings.region_lookups)),
            stores: Mutex::default(),
            store_look_ups: Flights::default(),
        }
    }

    /// The region that holds `key`.
    pub(crate) async fn region(
        self: &Arc<Self>,
        key: &Bytes,
        patience: &mut Patience,
    ) -> Result<Arc<Region>, Error> {
        loop {
            let look = {
                let regions = self.regions.lock();
                if let Some(region) = regions.get(key) {
                    return Ok(Arc::clone(region));
                }
                Look::At(regions.gap(key))
            };
            let asked = self.look_ups.join(look, || Arc::clone(self).look_up(key.clone()));
            self.await_look_up(asked, patience).await?;
        }
    }

    /// The region that holds the keys right below `bound`; empty: the last of all keys.
    pub(crate) async fn region_below(
        self: &Arc<Self>,
        bound: &Bytes,
        patience: &mut Patience,
    ) -> Result<Arc<Region>, Error> {
        loop {
            if let Some(region) = self.regions.lock().get_below(bound) {
                return Ok(Arc::clone(region));
            }
            let look = Look::Below(bound.clone());
            let asked = self.look_ups.join(look, || Arc::clone(self).look_up_below(bound.clone()));
            self.await_look_up(asked, patience).await?;
        }
    }

    async fn await_look_up(
        &self,
        asked: impl Future<Output = Result<(), Failure>>,
        patience: &mut Patience,
    ) -> Result<(), Error> {
        match tokio::time::timeout(patience.left(), asked).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) => patience.after(failure).await,
            Err(_) => Err(patience.exhausted("PD did not say where a region is")),
        }
    }

    async fn look_up(self: Arc<Self>, key: Bytes) -> Result<(), Failure> {
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        // Another look-up may have brought it while this one waited.
        if self.regions.lock().get(&key).is_some() {
            return Ok(());
        }
        let region = self.ask(&key).await?;
        self.learn(region)
    }

    /// PD's region of `key`, which need not be what is known here.
    async fn ask(&self, key: &[u8]) -> Result<Region, Failure> {
        let region = read(self.pd.region(memcomparable::encode(key)).await?)?;
        match region.contains(key) {
            true => Ok(region),
            false => Err(Failure::again("PD named a region that does not hold the key")),
        }
    }

    async fn look_up_below(self: Arc<Self>, bound: Bytes) -> Result<(), Failure> {
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        if bound.is_empty() {
            return self.look_up_last().await;
        }
        let region = self.ask(&bound).await?;
        let reaches = region.reaches(&bound);
        self.learn(region)?;
        if reaches {
            return Ok(());
        }
        let region = read(self.pd.region_before(memcomparable::encode(&bound)).await?)?;
        match region.reaches(&bound) {
            true => self.learn(region),
            false => Err(Failure::again("PD named a region that does not end at the bound")),
        }
    }

    /// PD has no question for the last region: the one of a key far out is, or some after it.
    async fn look_up_last(&self) -> Result<(), Failure> {
        let mut region = read(self.pd.region(FAR.to_vec()).await?)?;
        while !region.end.is_empty() {
            region = self.ask(&region.end).await?;
        }
        self.learn(region)
    }

    fn learn(&self, region: Region) -> Result<(), Failure> {
        let id = region.id;
        if self.regions.lock().insert(Arc::new(region)) {
            return Ok(());
        }
        Err(Failure::Again(Setback::new(Pause::Growing, format!("PD's news of the region {id} is old"))))
    }

    /// Learns what a store says lies where `region` was. The asked store answers for the regions that it has a peer of.
    pub(crate) fn learn_current(&self, region: &Region, current: &[metapb::Region]) {
        let store = region.peer().store_id;
        let mut regions = self.regions.lock();
        regions.remove(region);
        for described in current {
            let here = described.peers.iter().find(|peer| peer.store_id == store);
            match Region::read(described.clone(), here) {
                Ok(region) => _ = regions.insert(Arc::new(region)),
                Err(what) => tracing::warn!(what, "a store describes a region that makes no sense"),
            }
        }
    }

    /// Learns who leads a region; a peer that the region did not have makes it forgotten.
    pub(crate) fn learn_leader(&self, region: &Region, leader: &Peer) {
        match region.led_by(leader) {
            Some(led) => self.regions.lock().replace(region, led),
            None => self.forget(region),
        }
    }

    /// Forgets a region: PD is asked about its keys next time.
    pub(crate) fn forget(&self, region: &Region) {
        self.regions.lock().remove(region);
    }

    /// Forgets where a store answers: PD is asked next time.
    pub(crate) fn forget_store(&self, id: u64) {
        self.stores.lock().remove(&id);
    }

    /// Has the region's next peer asked, since the store of this one cannot be reached; after the last one PD is asked.
    /// The store may also have moved, so its address is forgotten.
    pub(crate) fn pass_on(&self, region: &Region) {
        self.forget_store(region.peer().store_id);
        match region.passed_on() {
            Some(next) => self.regions.lock().replace(region, next),
            None => self.forget(region),
        }
    }

    /// Where a store answers. One try.
    pub(crate) async fn store(self: &Arc<Self>, id: u64) -> Result<Address, Failure> {
        if let Some(address) = self.stores.lock().get(&id) {
            return Ok(address.clone());
        }
        let directory = Arc::clone(self);
        self.store_look_ups
            .join(id, || async move {
                let address = directory.pd.store(id).await?;
                directory.stores.lock().insert(id, address.clone());
                Ok(address)
            })
            .await
    }
}

fn read(answer: GetRegionResponse) -> Result<Region, Failure> {
    let Some(region) = answer.region else {
        return Err(Failure::again("PD knows no region of the key"));
    };
    Region::read(region, answer.leader.as_ref()).map_err(Failure::again)
}
