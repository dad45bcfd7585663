//! Mail: a real SMTP conversation with a small server of the test's own.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tollgate_core::Role;
use tollgate_server::operations::MemberPower;

use crate::person::{OWNER, client, token};
use crate::world::World;

/// What the mail server of a test was told.
#[derive(Debug)]
struct Received {
    login: String,
    to: String,
    message: String,
}

/// A mail server on loopback. It refuses whoever is called `refused`.
struct Server {
    url: String,
    received: mpsc::UnboundedReceiver<Received>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (sender, received) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(one) = converse(stream).await {
                    let _ = sender.send(one);
                }
            }
        });
        Self { url: format!("smtp://tollgate:four%20words@{address}?tls=none"), received }
    }

    /// The next message; the wait is the network's, and has an end.
    async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(Duration::from_secs(20), self.received.recv()).await;
        next.expect("mail comes").expect("the server runs")
    }
}

async fn converse(stream: TcpStream) -> std::io::Result<Received> {
    let mut stream = BufReader::new(stream);
    let mut one = Received { login: String::new(), to: String::new(), message: String::new() };
    stream.write_all(b"220 test\r\n").await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let said = std::mem::take(&mut line);
        let said = said.trim_end();
        let reply = match said.split([' ', ':']).next().unwrap_or_default().to_uppercase().as_str() {
            "EHLO" => "250-test\r\n250 AUTH PLAIN\r\n",
            "AUTH" => {
                said.rsplit(' ').next().unwrap_or_default().clone_into(&mut one.login);
                "235 welcome\r\n"
            }
            "RCPT" if said.contains("refused@") => "550 5.1.1 <refused@example.com> unknown\r\n",
            "RCPT" => {
                said.clone_into(&mut one.to);
                "250 ok\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                while stream.read_line(&mut line).await? > 0 && line != ".\r\n" {
                    one.message.push_str(&line);
                    line.clear();
                }
                line.clear();
                "250 taken\r\n"
            }
            "QUIT" => break,
            _ => "250 ok\r\n",
        };
        stream.write_all(reply.as_bytes()).await?;
    }
    Ok(one)
}

/// The text of a message: what stands behind its header, decoded.
fn text(message: &str) -> String {
    let (head, body) = message.split_once("\r\n\r\n").expect("header and body");
    if head.to_lowercase().contains("content-transfer-encoding: base64") {
        let body: String = body.split_whitespace().collect();
        return String::from_utf8(STANDARD.decode(body).expect("base64")).expect("UTF-8");
    }
    body.replace("=\r\n", "").replace("=3D", "=").replace("\r\n", "\n")
}

async fn with_mail(world: World) -> (World, Server) {
    let server = Server::start().await;
    let world = world
        .reopen(|config| {
            config.mail.smtp_url = Some(server.url.clone());
            config.mail.from = Some("Tollgate <tollgate@example.com>".to_owned());
        })
        .await;
    (world, server)
}

on_both_engines! {
    async fn an_invitation_goes_out_as_plain_text_with_its_link(world: World) {
        let (world, mut server) = with_mail(world).await;
        let (owner, account) = world.set_up().await;
        let made = world.app.invite(&owner.doing(None), MemberPower::All, &account, "new@example.com", Role::Admin).await.expect("invited");
        assert!(made.is_mailed && world.app.sends_mail());
        let one = server.next().await;
        assert_eq!(one.to, "RCPT TO:<new@example.com>");
        assert_eq!(STANDARD.decode(&one.login).expect("base64"), b"\0tollgate\0four words");
        for line in ["From: Tollgate <tollgate@example.com>\r\n", "To: new@example.com\r\n", "Subject: Invitation to First\r\n", "Content-Type: text/plain; charset=utf-8\r\n", "Date: Mon, 21 Sep 2026"] {
            assert!(one.message.contains(line), "{line} in {}", one.message);
        }
        let text = text(&one.message);
        assert!(text.contains(&made.url) && text.contains(OWNER) && text.contains("role admin"), "{text}");
        assert!(world.app.invitation(&token(&made)).await.is_ok());
    }

    async fn a_name_cannot_add_lines_to_a_letter(world: World) {
        let (world, mut server) = with_mail(world).await;
        let (owner, account) = world.set_up().await;
        world.execute("UPDATE accounts SET display_name = 'A\r\nBcc: x@example.com\r\n\r\n<b>\u{fc}'").await;
        let account = world.account(&account.id.to_string()).await;
        world.app.invite(&owner.doing(None), MemberPower::All, &account, "new@example.com", Role::Admin).await.expect("invited");
        let message = server.next().await.message;
        assert!(!message.to_lowercase().contains("\nbcc:"), "{message}");
    }

    async fn a_reset_link_is_mailed_only_to_who_exists_and_the_asker_learns_nothing(world: World) {
        let (world, mut server) = with_mail(world).await;
        world.set_up().await;
        for email in ["nobody@example.com", " Owner@Example.com "] {
            world.app.ask_reset(email, client(2)).expect("the same for both");
        }
        let one = server.next().await;
        assert_eq!(one.to, format!("RCPT TO:<{OWNER}>"));
        let text = text(&one.message);
        let token = text.split("reset/new?token=").nth(1).and_then(|rest| rest.split('\n').next()).expect("a link").to_owned();
        assert!(text.contains("https://tollgate.example/reset/new?token="), "{text}");
        assert_eq!(world.app.reset_address(&token).await.expect("answers").as_deref(), Some(OWNER));
        assert_eq!(world.texts("SELECT email FROM links WHERE purpose = 'reset'").await, [OWNER]);
        let trail = world.texts("SELECT actor FROM audit_events WHERE action = 'resetLink.create'").await;
        assert_eq!(trail, ["tollgate"]);
    }

    async fn mail_that_is_refused_holds_up_nothing(world: World) {
        let (world, mut server) = with_mail(world).await;
        let (owner, account) = world.set_up().await;
        for email in ["refused@example.com", "new@example.com"] {
            world.app.invite(&owner.doing(None), MemberPower::All, &account, email, Role::Admin).await.expect("invited");
        }
        loop {
            let one = server.next().await;
            if !one.message.is_empty() {
                assert_eq!(one.to, "RCPT TO:<new@example.com>");
                break;
            }
        }
    }

    async fn without_a_mail_server_nothing_is_made_for_who_asks(world: World) {
        let (owner, account) = world.set_up().await;
        let kept = world.app.reset_link(&world.socket(), OWNER).await.expect("made by the operator");
        world.app.ask_reset(OWNER, client(2)).expect("the same answer");
        let made = world.app.invite(&owner.doing(None), MemberPower::All, &account, "new@example.com", Role::Admin).await.expect("invited");
        assert!(!made.is_mailed && !world.app.sends_mail());
        assert!(world.app.reset_address(&token(&kept)).await.expect("answers").is_some(), "what the operator made still works");
    }
}

#[tokio::test]
async fn the_url_of_the_mail_server_may_stand_in_a_file() {
    let mut server = Server::start().await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("smtp");
    std::fs::write(&file, format!("{}\n", server.url)).expect("written");
    let from = Some("tollgate@example.com".to_owned());
    let world = World::on_sqlite().await;
    let (refused, world) = world.refused(|config| config.mail.smtp_url_file = Some("/nowhere".into())).await;
    assert!(refused.contains("mail.smtp_url_file"), "{refused}");
    let world =
        world.start().await.reopen(|config| (config.mail.smtp_url_file, config.mail.from) = (Some(file), from)).await;
    world.set_up().await;
    world.app.ask_reset(OWNER, client(2)).expect("the same for all");
    assert!(server.next().await.message.contains("Set a new password"));
}
