//! `tollgate gateway`: configurations of gateways. Nothing here asks a server.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use tollgate_server::config::Config;
use tollgate_server::gateways::{self, Gateway, Place, Places};

use crate::failure::Failure;
use crate::output::print;

/// What to do with gateways.
#[derive(Debug, Subcommand)]
pub(crate) enum GatewayVerb {
    /// Print the configuration of a gateway that asks Tollgate about every call, filled in from a configuration file.
    Print(PrintArgs),
}

/// Which gateway, and who is where.
#[derive(Debug, Args)]
pub(crate) struct PrintArgs {
    /// The gateway.
    #[arg(value_name = "GATEWAY")]
    gateway: Known,
    /// The server's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Address and port on which the gateway listens [default: 127.0.0.1:8000].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Host and port at which the gateway reaches Tollgate [default: where the server listens; in Kubernetes the service
    /// tollgate].
    #[arg(long, value_name = "HOST:PORT")]
    tollgate: Option<Place>,
    /// Host and port of the API behind the gateway [default: 127.0.0.1:3000; in Kubernetes the service your-api].
    #[arg(long, value_name = "HOST:PORT")]
    api: Option<Place>,
}

/// The gateways that can be printed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Known {
    /// `auth_request` of nginx.
    Nginx,
    /// `forward_auth` of Caddy.
    Caddy,
    /// ForwardAuth of Traefik.
    Traefik,
    /// External authorization of Envoy over gRPC.
    Envoy,
    /// External authorization of Envoy over HTTP.
    EnvoyHttp,
    /// The filter ExternalAuth of the Gateway API.
    Kubernetes,
    /// The SecurityPolicy of Envoy Gateway.
    EnvoyGateway,
}

impl From<Known> for Gateway {
    fn from(known: Known) -> Self {
        match known {
            Known::Nginx => Self::Nginx,
            Known::Caddy => Self::Caddy,
            Known::Traefik => Self::Traefik,
            Known::Envoy => Self::Envoy,
            Known::EnvoyHttp => Self::EnvoyHttp,
            Known::Kubernetes => Self::Kubernetes,
            Known::EnvoyGateway => Self::EnvoyGateway,
        }
    }
}

impl GatewayVerb {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Self::Print(PrintArgs { gateway, config, listen, tollgate, api }) = self;
        let config = Config::load(&config).map_err(anyhow::Error::new)?;
        print(&gateways::print(gateway.into(), &config, &Places { listen, tollgate, api }))
    }
}
