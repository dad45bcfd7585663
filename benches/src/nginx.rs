//! nginx with a file behind a gate, on the core of the servers.

use std::fs;
use std::net::TcpStream;
use std::path::Path;

use anyhow::Context;

use crate::http::{self, Request};
use crate::process::Process;
use crate::subject::Subject;
use crate::tollgate::free_addresses;

/// nginx that asks a gate about each call.
pub(crate) struct Nginx {
    pub(crate) subject: Subject,
}

impl Nginx {
    /// Starts nginx with the gate at `gate`, which is asked under `door`.
    pub(crate) fn start(name: &'static str, work: &Path, gate: &str, door: &str) -> anyhow::Result<Self> {
        let directory = work.join(name.replace([' ', ','], "-"));
        fs::create_dir(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
        fs::write(directory.join("hello"), "{\"hello\":\"world\"}\n")?;
        let [address, _] = free_addresses()?;
        let file = directory.join("nginx.conf");
        fs::write(&file, configuration(&directory, &address, gate, door))?;
        let arguments = ["-e".as_ref(), "stderr".as_ref(), "-c".as_ref(), file.as_os_str()];
        let mut process = Process::start("nginx".as_ref(), &arguments, &directory.join("log"))
            .context("nginx is missing: apt-get install nginx-light")?;
        process.wait_for(name, || {
            let stream = TcpStream::connect(&address).ok()?;
            http::exchange(stream, &Request::get("/hello")).ok()
        })?;
        Ok(Self { subject: Subject { name, address, process } })
    }

    /// The call that a gate was asked about as a client sends it to nginx.
    pub(crate) fn request(&self, asked: &Request) -> Request {
        let value = |name| asked.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let authorization = value("authorization").unwrap_or_default();
        let path = value("x-forwarded-uri").unwrap_or_default();
        Request { headers: vec![("authorization", authorization)], ..Request::get(path) }
    }
}

fn configuration(directory: &Path, address: &str, gate: &str, door: &str) -> String {
    let directory = directory.display();
    format!(
        "daemon off;
master_process off;
pid {directory}/pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  keepalive_requests 1000000000;
  upstream gate {{ server {gate}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen {address};
    location / {{
      auth_request /gate;
      root {directory};
      try_files /hello =404;
    }}
    location = /gate {{
      internal;
      proxy_pass http://gate{door};
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Connection \"\";
      proxy_set_header Content-Length \"\";
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Original-URI $request_uri;
      proxy_set_header X-Original-Host $host;
    }}
  }}
}}
"
    )
}
