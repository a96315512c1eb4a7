use braid_client::ListRepositories;
use braid_types::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::support::*;
use crate::{Settings, TlsIdentity};

#[tokio::test]
async fn the_caller_is_told_who_it_is_and_what_the_server_is() {
    let node = Node::start().await;
    let identity = node.client().who_am_i().await.unwrap();
    assert_eq!((&identity.user[..], identity.access_key_id), ("ada", node.key.id.clone()));
    let info = node.client().server_info().await.unwrap();
    assert_eq!((&info.storage_kind[..], info.limits.upload_bytes), ("local", 5 << 30));
    assert_eq!(info.version, env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn without_the_right_key_nothing_is_answered() {
    let node = Node::start().await;
    let other = node.keys.create("eve").await.unwrap();
    let wrong_secret = node.client_as(&node.key.id, other.secret.expose());
    let wrong_id = node.client_as("BRDA0000000000000000", node.key.secret.expose());
    let mut messages = Vec::new();
    for client in [wrong_secret, wrong_id] {
        let error = client.list_repositories(ListRepositories::default()).await.unwrap_err();
        assert_eq!(error.code(), Code::Unauthenticated);
        messages.push(error.message().to_owned());
    }
    assert_eq!(messages[0], messages[1]);
    let anonymous = node.connect(&node.config());
    assert_eq!(code(anonymous.server_info().await), Code::Unauthenticated);
    assert_eq!(code(anonymous.who_am_i().await), Code::Unauthenticated);
    assert_eq!(code(anonymous.get_repository(&lake()).await), Code::Unauthenticated);
}

#[tokio::test]
async fn health_is_open_and_reflection_is_not() {
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

    let node = Node::start().await;
    let check = HealthCheckRequest { service: "braid.v1.ObjectService".to_owned() };
    let answer = HealthClient::new(node.channel()).check(check).await.unwrap();
    assert_eq!(answer.into_inner().status(), tonic_health::pb::health_check_response::ServingStatus::Serving);
    let list = || {
        let message_request = Some(MessageRequest::ListServices(String::new()));
        futures::stream::iter([ServerReflectionRequest { host: String::new(), message_request }])
    };
    let mut reflection = ServerReflectionClient::new(node.channel());
    let refused = reflection.server_reflection_info(list()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unauthenticated);
    let mut answers = reflection.server_reflection_info(node.request(list())).await.unwrap().into_inner();
    let listed = format!("{:?}", answers.message().await.unwrap().unwrap());
    for service in ["RepositoryService", "RefService", "ObjectService", "CommitService", "ServerService"] {
        assert!(listed.contains(&format!("braid.v1.{service}")), "{listed}");
    }
}

#[tokio::test]
async fn connections_are_encrypted_when_there_is_a_certificate() {
    use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

    let certificate = include_bytes!("tls/certificate.pem");
    let tls = TlsIdentity {
        certificates: certificate.to_vec(),
        private_key: include_bytes!("tls/key.pem").to_vec(),
    };
    let node = Installation::new().start(Settings { tls: Some(tls), ..Settings::default() }).await;
    let trust =
        ClientTlsConfig::new().ca_certificate(Certificate::from_pem(certificate)).domain_name("localhost");
    let endpoint =
        Endpoint::from_shared(format!("https://{}", node.address)).unwrap().tls_config(trust).unwrap();
    let check = || HealthCheckRequest { service: String::new() };
    HealthClient::new(endpoint.connect_lazy()).check(check()).await.unwrap();
    HealthClient::new(node.channel()).check(check()).await.unwrap_err();
}

#[tokio::test]
async fn a_certificate_of_no_use_does_not_start() {
    let tls = TlsIdentity { certificates: b"x".to_vec(), private_key: b"hidden".to_vec() };
    assert!(!format!("{tls:?}").contains("104"), "the key is not shown");
    let node = Installation::new().start(Settings { tls: Some(tls), ..Settings::default() }).await;
    assert!(node.ended().await.is_err());
}
