//! Asks a registry, and believes nothing of it: a digest is computed from what came, a size is counted as it comes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{
    ImageIndexEntry, OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageIndex, OciImageManifest,
};
use oci_client::secrets::RegistryAuth;
use serde::Serialize;
use serde_json::json;
use tokio::io::AsyncWrite;

use super::shelf::sha256;
use super::{
    COMPONENT, COMPONENT_BYTES_MAX, CONFIG, Reference, RegistryError, SIGNATURE, SIGNATURE_BYTES_MAX, SIGNATURES_MAX,
};

/// A registry that does not answer within this time is down; blobs are read as long as they come.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const READ_WITHIN: Duration = Duration::from_secs(60);

/// The config of an artifact that has none (OCI image specification, "Guidance for an empty descriptor").
const EMPTY: (&str, &[u8]) = ("application/vnd.oci.empty.v1+json", b"{}");

/// How a registry is reached, and as whom.
#[derive(Clone, Debug, Default)]
pub struct RegistryAccess {
    /// Name and password; anonymous when absent.
    pub user: Option<(String, String)>,
    /// For a registry on this machine only.
    pub plain_http: bool,
}

/// What a registry had.
pub struct Pulled {
    pub component: Vec<u8>,
    pub manifest: Vec<u8>,
    /// Of the manifest, `sha256:…`: what to pin.
    pub digest: String,
    /// Minisign files; nobody has checked them yet.
    pub signatures: Vec<String>,
}

/// One registry, as seen for one reference.
pub struct Registry<'r> {
    client: oci_client::Client,
    auth: RegistryAuth,
    reference: &'r Reference,
}

impl<'r> Registry<'r> {
    /// # Errors
    /// When it would be asked in clear over a network, or no client can be made.
    pub fn of(reference: &'r Reference, access: &RegistryAccess) -> Result<Registry<'r>, RegistryError> {
        if access.plain_http && !reference.is_local() {
            return Err(RegistryError::PlainHttp(reference.registry().to_owned()));
        }
        let config = ClientConfig {
            protocol: if access.plain_http { ClientProtocol::Http } else { ClientProtocol::Https },
            platform_resolver: None,
            connect_timeout: Some(CONNECT_WITHIN),
            read_timeout: Some(READ_WITHIN),
            user_agent: concat!("handoff/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let client = oci_client::Client::try_from(config)
            .map_err(|error| RegistryError::Asked(reference.clone(), Box::new(error)))?;
        let auth = match &access.user {
            Some((name, password)) => RegistryAuth::Basic(name.clone(), password.clone()),
            None => RegistryAuth::Anonymous,
        };
        Ok(Registry { client, auth, reference })
    }

    /// Fetches the component and whatever signs it.
    ///
    /// # Errors
    /// When it is not there, is no component, is too large, or is not what was named.
    pub async fn pull(&self) -> Result<Pulled, RegistryError> {
        let (manifest, digest) = self.manifest(self.reference).await?;
        let (component, parsed) = (|why: &str| self.no_component(why), self.parsed(&manifest)?);
        if parsed.config.media_type != CONFIG {
            return Err(component("its config is not of the Wasm OCI artifact's type"));
        }
        let [layer] = parsed.layers.as_slice() else { return Err(component("it has not exactly one layer")) };
        if layer.media_type != COMPONENT {
            return Err(component("its layer is not WebAssembly"));
        }
        let bytes = self.blob(layer, "the component", COMPONENT_BYTES_MAX).await?;
        let signatures = self.signatures(&digest).await?;
        Ok(Pulled { component: bytes, manifest, digest, signatures })
    }

    /// Puts a component there with its signature, and gives its manifest's digest. `config` is the artifact's.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub async fn push(&self, component: &[u8], config: &[u8], signature: &str) -> Result<String, RegistryError> {
        self.client.store_auth_if_needed(self.reference.registry(), &self.auth).await;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": OCI_IMAGE_MEDIA_TYPE,
            "config": self.put(CONFIG, config).await?,
            "layers": [self.put(COMPONENT, component).await?],
        });
        let subject = self.put_manifest(self.reference, &manifest, OCI_IMAGE_MEDIA_TYPE).await?;
        let signed = json!({
            "schemaVersion": 2, "mediaType": OCI_IMAGE_MEDIA_TYPE, "artifactType": SIGNATURE,
            "config": self.put(EMPTY.0, EMPTY.1).await?,
            "layers": [self.put(SIGNATURE, signature.as_bytes()).await?],
            "subject": subject,
        });
        let name = subject.digest.replace(':', "-");
        let tag = self.reference.tagged(&format!("{name}.minisig"));
        let signing = self.put_manifest(&tag, &signed, OCI_IMAGE_MEDIA_TYPE).await?;
        self.list(&subject.digest, &name, signing).await?;
        Ok(subject.digest)
    }

    /// A registry that does not list referrers itself has a tag for them (OCI distribution specification, "Referrers tag
    /// schema"), which is the client's to write.
    async fn list(&self, digest: &str, tag: &str, signing: OciDescriptor) -> Result<(), RegistryError> {
        let subject = self.reference.at(digest);
        let mut listed: OciImageIndex =
            self.client.pull_referrers(subject.inner(), None).await.map_err(self.put_failed())?;
        if listed.manifests.iter().any(|known| known.digest == signing.digest) {
            return Ok(());
        }
        listed.manifests.push(ImageIndexEntry {
            media_type: signing.media_type,
            digest: signing.digest,
            size: signing.size,
            platform: None,
            annotations: None,
            artifact_type: Some(SIGNATURE.to_owned()),
        });
        let index = OciImageIndex { media_type: Some(OCI_IMAGE_INDEX_MEDIA_TYPE.to_owned()), ..listed };
        self.put_manifest(&self.reference.tagged(tag), &index, OCI_IMAGE_INDEX_MEDIA_TYPE).await.map(drop)
    }

    async fn signatures(&self, digest: &str) -> Result<Vec<String>, RegistryError> {
        let subject = self.reference.at(digest);
        let listed = self.client.pull_referrers(subject.inner(), Some(SIGNATURE)).await.map_err(self.asked())?;
        let mut signatures = Vec::new();
        // A registry may ignore the filter; each is asked what it is.
        let entries = listed.manifests.iter().filter(|it| it.artifact_type.as_deref() == Some(SIGNATURE));
        for entry in entries.take(SIGNATURES_MAX) {
            let (manifest, _) = self.manifest(&self.reference.at(&entry.digest)).await?;
            let manifest = self.parsed(&manifest)?;
            let is_of_it = manifest.subject.as_ref().is_some_and(|subject| subject.digest == digest);
            let Some(layer) = manifest.layers.first().filter(|layer| is_of_it && layer.media_type == SIGNATURE) else {
                continue;
            };
            let signature = self.blob(layer, "a signature", SIGNATURE_BYTES_MAX).await?;
            signatures.extend(String::from_utf8(signature));
        }
        Ok(signatures)
    }

    /// A manifest and the digest of its bytes, which is the one that was asked for where one was.
    async fn manifest(&self, reference: &Reference) -> Result<(Vec<u8>, String), RegistryError> {
        let accepted = [OCI_IMAGE_MEDIA_TYPE];
        let pulled = self.client.pull_manifest_raw(reference.inner(), &self.auth, &accepted).await;
        let (bytes, _said) = pulled.map_err(self.asked())?;
        let found = sha256(&bytes);
        match reference.digest().filter(|expected| *expected != found) {
            Some(expected) => Err(self.other_bytes(expected, found)),
            None => Ok((bytes.to_vec(), found)),
        }
    }

    fn parsed(&self, manifest: &[u8]) -> Result<OciImageManifest, RegistryError> {
        serde_json::from_slice(manifest).map_err(|_| self.no_component("its manifest is none of an image's"))
    }

    async fn blob(&self, layer: &OciDescriptor, what: &'static str, max: usize) -> Result<Vec<u8>, RegistryError> {
        let too_large = || RegistryError::TooLarge { reference: self.reference.clone(), what, max };
        if usize::try_from(layer.size).map_or(true, |size| size > max) {
            return Err(too_large());
        }
        let mut bounded = Bounded { taken: Vec::new(), max };
        let pulled = self.client.pull_blob(self.reference.inner(), layer, &mut bounded).await;
        match pulled {
            Ok(()) if sha256(&bounded.taken) == layer.digest => Ok(bounded.taken),
            Ok(()) => Err(self.other_bytes(&layer.digest, sha256(&bounded.taken))),
            Err(OciDistributionError::IoError(error)) if error.kind() == io::ErrorKind::FileTooLarge => {
                Err(too_large())
            }
            Err(OciDistributionError::DigestError(_)) => Err(self.other_bytes(&layer.digest, sha256(&bounded.taken))),
            Err(error) => Err(self.asked()(error)),
        }
    }

    async fn put(&self, media_type: &str, bytes: &[u8]) -> Result<OciDescriptor, RegistryError> {
        let digest = sha256(bytes);
        let reference = self.reference.inner();
        self.client.push_blob(reference, bytes.to_vec(), &digest).await.map_err(self.put_failed())?;
        Ok(descriptor(media_type, bytes, digest))
    }

    async fn put_manifest(
        &self,
        at: &Reference,
        manifest: &impl Serialize,
        media_type: &'static str,
    ) -> Result<OciDescriptor, RegistryError> {
        let bytes = serde_json::to_vec(manifest).map_err(|error| self.put_failed()(error.into()))?;
        let content_type = http::HeaderValue::from_static(media_type);
        let put = self.client.push_manifest_raw(at.inner(), bytes.clone(), content_type).await;
        put.map_err(self.put_failed())?;
        let digest = sha256(&bytes);
        Ok(descriptor(media_type, &bytes, digest))
    }

    fn asked(&self) -> impl Fn(OciDistributionError) -> RegistryError {
        |error| {
            if let OciDistributionError::DigestError(other) = &error {
                return self.other_bytes("the digest that was named", other.to_string());
            }
            RegistryError::Asked(self.reference.clone(), Box::new(error))
        }
    }

    fn put_failed(&self) -> impl Fn(OciDistributionError) -> RegistryError {
        |error| RegistryError::Put(self.reference.clone(), Box::new(error))
    }

    fn no_component(&self, why: &str) -> RegistryError {
        RegistryError::NoComponent { reference: self.reference.clone(), why: why.to_owned() }
    }

    fn other_bytes(&self, expected: &str, found: String) -> RegistryError {
        RegistryError::OtherBytes { reference: self.reference.clone(), expected: expected.to_owned(), found }
    }
}

fn descriptor(media_type: &str, bytes: &[u8], digest: String) -> OciDescriptor {
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    OciDescriptor { media_type: media_type.to_owned(), digest, size, ..OciDescriptor::default() }
}

/// Takes bytes up to a limit, whatever was announced.
struct Bounded {
    taken: Vec<u8>,
    max: usize,
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.taken.len().saturating_add(bytes.len()) > self.max {
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        self.taken.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
