//! What the settings mean together: the [`Config`] that they make.

use std::sync::Arc;

use cablecar_protocol::tunnel::TunnelServiceDomain;

use super::layers::Layers;
use crate::config::{Config, Security};
use crate::error::Error;
use crate::tls::Certificates;

impl Layers {
    /// The configuration of a relay. Reads certificate and key.
    ///
    /// # Errors
    /// [`Error::Usage`] for what is missing or contradicts, [`Error::Value`]
    /// with its place for what cannot be, and those of [`Certificates::read`].
    pub(crate) fn config(&self) -> Result<Config, Error> {
        let settings = self.settings.clone();
        let serving = settings.serving;
        if serving.listen.is_empty() {
            return Err(Error::Usage("there is no address to listen on: --listen".into()));
        }
        let security = self.security()?;
        let domain = serving.domain_id.map(TunnelServiceDomain::new).transpose();
        let domain = domain.map_err(|_| Error::Unassigned(serving.domain_id.unwrap_or_default()))?;
        let config = Config {
            listen: serving.listen,
            security,
            domain,
            routing_id: serving.routing_id,
            region: serving.region,
            node: serving.node,
            state_dir: serving.state_dir,
            allow_origins: serving.allow_origin,
            limits: settings.limits.limits(serving.exempt),
            proxy: settings.proxy.proxy(),
            access: settings.access.access(),
            admin: settings.admin.admin(),
            log: settings.log.log(),
        };
        config.check().map_err(|error| self.locate(error))?;
        Ok(config)
    }

    fn security(&self) -> Result<Security, Error> {
        let wrong = |problem: &str| Err(Error::Usage(problem.into()));
        let (tls, plain) = (&self.settings.tls, self.settings.serving.plain);
        match (&tls.cert, &tls.key) {
            (None, None) if plain => Ok(Security::Plain),
            (None, None) => wrong("there is neither a certificate (--tls-cert, --tls-key) nor --plain"),
            _ if plain => wrong("--plain contradicts --tls-cert and --tls-key"),
            (Some(cert), Some(key)) => {
                Certificates::read(cert, key).map(|read| Security::Files(Arc::new(read)))
            }
            (Some(_), None) => wrong("--tls-cert needs --tls-key"),
            (None, Some(_)) => wrong("--tls-key needs --tls-cert"),
        }
    }
}
