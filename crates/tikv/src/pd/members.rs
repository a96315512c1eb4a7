//! Which of PD's members leads, found out again whenever it is in doubt.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use parking_lot::Mutex;
use tonic::transport::Channel;

use crate::Error;
use crate::failure::Failure;
use crate::flights::Flights;
use crate::net::{Address, Channels, Connection, reason};
use crate::proto::pdpb::pd_client::PdClient;
use crate::proto::pdpb::{GetMembersRequest, GetMembersResponse, Member, RequestHeader};

/// PD's members.
#[derive(Debug)]
pub(crate) struct Members {
    channels: Arc<Channels>,
    timeout: Duration,
    state: Mutex<State>,
    search: Flights<(), Arc<Leader>>,
}

#[derive(Debug)]
struct State {
    /// Where members answer: as set, and as members said.
    addresses: Vec<Address>,
    /// The cluster of the first answer.
    cluster: Option<u64>,
    leader: Option<Arc<Leader>>,
}

/// A member that led when it was asked.
#[derive(Debug)]
pub(crate) struct Leader {
    cluster: u64,
    connection: Connection,
}

impl Leader {
    pub(crate) fn cluster(&self) -> u64 {
        self.cluster
    }

    pub(crate) fn header(&self) -> RequestHeader {
        RequestHeader { cluster_id: self.cluster, sender_id: 0 }
    }

    pub(crate) fn channel(&self) -> Channel {
        self.connection.channel.clone()
    }

    pub(crate) fn address(&self) -> &Address {
        &self.connection.address
    }
}

impl Members {
    pub(crate) fn new(channels: Arc<Channels>, addresses: Vec<Address>, timeout: Duration) -> Self {
        let state = Mutex::new(State { addresses, cluster: None, leader: None });
        Self { channels, timeout, state, search: Flights::default() }
    }

    /// The leader, as far as is known.
    pub(crate) async fn leader(self: &Arc<Self>) -> Result<Arc<Leader>, Failure> {
        let known = self.state.lock().leader.clone();
        match known {
            Some(leader) => Ok(leader),
            None => self.search.join((), || Arc::clone(self).search()).await,
        }
    }

    /// Doubts a leader: whoever needs one next looks for it, over a new connection.
    pub(crate) fn doubt(&self, leader: &Arc<Leader>) {
        let mut state = self.state.lock();
        if state.leader.as_ref().is_some_and(|current| Arc::ptr_eq(current, leader)) {
            state.leader = None;
            self.channels.forget(&leader.connection);
        }
    }

    /// Asks all members at once; the first that names a leader that can be reached is believed.
    async fn search(self: Arc<Self>) -> Result<Arc<Leader>, Failure> {
        let addresses = self.state.lock().addresses.clone();
        let mut asked: FuturesUnordered<_> = addresses.iter().map(|address| self.ask(address)).collect();
        let mut cause = String::from("no address of PD is known");
        while let Some(answer) = asked.next().await {
            match answer {
                Ok(leader) => {
                    self.state.lock().leader = Some(Arc::clone(&leader));
                    tracing::debug!(address = %leader.address(), "PD's leader");
                    return Ok(leader);
                }
                Err(Failure::Again(setback)) => cause = setback.cause,
                Err(never) => return Err(never),
            }
        }
        Err(Failure::again(cause))
    }

    async fn ask(&self, address: &Address) -> Result<Arc<Leader>, Failure> {
        let connection = self.channels.get(address).await.map_err(Failure::again)?;
        let mut client = PdClient::new(connection.channel.clone());
        let asking = tokio::time::timeout(self.timeout, client.get_members(GetMembersRequest::default()));
        let answer = match asking.await {
            Ok(Ok(answer)) => answer.into_inner(),
            Ok(Err(status)) => {
                self.channels.forget(&connection);
                return Err(Failure::again(format!("PD at '{address}' failed: {}", reason(&status))));
            }
            Err(_) => {
                self.channels.forget(&connection);
                return Err(Failure::again(format!(
                    "PD at '{address}' did not answer in {:?}",
                    self.timeout
                )));
            }
        };
        let cluster = self.learn(address, &answer)?;
        let leader = answer.leader.unwrap_or_default();
        let connection = self.connect(&leader).await?;
        Ok(Arc::new(Leader { cluster, connection }))
    }

    /// Remembers the members of an answer, and returns the cluster's id.
    fn learn(&self, address: &Address, answer: &GetMembersResponse) -> Result<u64, Failure> {
        let header = answer.header.as_ref();
        let header =
            header.ok_or_else(|| Failure::again(format!("PD at '{address}' answered without a header")))?;
        if let Some(error) = &header.error {
            return Err(Failure::again(format!("PD at '{address}' failed: {}", error.message)));
        }
        let found = header.cluster_id;
        let mut state = self.state.lock();
        let expected = *state.cluster.get_or_insert(found);
        if found != expected {
            return Err(Error::WrongCluster { address: address.to_string(), expected, found }.into());
        }
        let urls = answer.members.iter().flat_map(|member| &member.client_urls);
        for address in urls.filter_map(|url| Address::parse(url).ok()) {
            if !state.addresses.contains(&address) {
                state.addresses.push(address);
            }
        }
        Ok(found)
    }

    async fn connect(&self, leader: &Member) -> Result<Connection, Failure> {
        let mut cause = String::from("PD has no leader");
        for address in leader.client_urls.iter().filter_map(|url| Address::parse(url).ok()) {
            match self.channels.get(&address).await {
                Ok(connection) => return Ok(connection),
                Err(failed) => cause = failed,
            }
        }
        Err(Failure::again(cause))
    }
}
