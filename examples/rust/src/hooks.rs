//! The hooks. Each changes the object that it is given; what it leaves alone
//! stays as it was.

use coprocess::{Header, MiniRequestObject, Object, ReturnOverrides, SessionState};
use std::{collections::HashMap, error::Error, time::Duration};

/// Asks the hook that the object names, and returns what becomes of the object.
/// A name that no hook has changes nothing.
pub async fn apply(mut o: Object) -> Result<Object, Box<dyn Error + Send + Sync>> {
    match o.hook_name.as_str() {
        "Headers" => headers(request(&mut o)),
        "Deny" => deny(request(&mut o)),
        "Teapot" => teapot(request(&mut o)),
        "CheckToken" => check_token(&mut o),
        "ReadSession" => read_session(&mut o),
        "Rewrite" => rewrite(request(&mut o)),
        "Tenant" => tenant(&mut o)?,
        "Reply" => reply(&mut o),
        "Crash" => panic!("the sample crashed as it was asked to"),
        "Slow" => tokio::time::sleep(Duration::from_secs(2)).await,
        _ => {} // Echo is one of these
    }
    Ok(o)
}

fn request(o: &mut Object) -> &mut MiniRequestObject {
    o.request.get_or_insert_default()
}

fn headers(r: &mut MiniRequestObject) {
    r.set_headers.insert("X-Sample".into(), "hello".into());
    r.delete_headers.push("X-Remove".into());
    r.add_params.insert("added".into(), "1".into());
    r.delete_params.push("remove".into());
}

fn deny(r: &mut MiniRequestObject) {
    if r.headers.contains_key("X-Deny") {
        r.return_overrides = Some(ReturnOverrides {
            response_code: 403,
            response_error: "denied by the sample".into(),
            headers: HashMap::from([("X-Denied".into(), "1".into())]),
            ..Default::default()
        });
    }
}

fn teapot(r: &mut MiniRequestObject) {
    r.return_overrides = Some(ReturnOverrides {
        response_code: 418,
        override_error: true,
        response_body: "short and stout".into(),
        headers: HashMap::from([("Content-Type".into(), "text/plain".into())]),
        ..Default::default()
    });
}

fn check_token(o: &mut Object) {
    let r = request(o);
    if r.headers.get("Authorization").is_none_or(|token| token != "Bearer let-me-in") {
        r.return_overrides = Some(ReturnOverrides {
            response_code: 401,
            response_error: "not authorised by the sample".into(),
            ..Default::default()
        });
        return;
    }
    o.session = Some(SessionState {
        rate: 1000.0,
        per: 1.0,
        quota_max: 5000,
        quota_remaining: 5000,
        quota_renewal_rate: 3600,
        metadata: HashMap::from([("tier".into(), "gold".into())]),
        ..Default::default()
    });
    o.metadata.insert("token".into(), "let-me-in".into());
    o.metadata.insert("tier".into(), "gold".into());
}

fn read_session(o: &mut Object) {
    if let Some(session) = &o.session {
        let set = &mut o.request.get_or_insert_default().set_headers;
        let tier = session.metadata.get("tier").cloned().unwrap_or_default();
        set.insert("X-Tier".into(), tier);
        set.insert("X-Rate".into(), (session.rate as i64).to_string());
    }
}

fn rewrite(r: &mut MiniRequestObject) {
    let end = r.url.find('?').unwrap_or(r.url.len());
    if r.url[..end].ends_with("/old") {
        r.url.replace_range(end - 3..end, "new");
    }
    if r.headers.get("X-Method").is_some_and(|method| method == "post") {
        r.method = "POST".into();
    }
    if let Ok(text) = str::from_utf8_mut(&mut r.raw_body)
        && !text.is_empty()
    {
        text.make_ascii_uppercase();
        r.body = text.to_owned();
    }
}

fn tenant(o: &mut Object) -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = o.spec.get("config_data").ok_or("the API has no config_data")?;
    let config: serde_json::Value = serde_json::from_str(config)?;
    let tenant = config["tenant"].as_str().ok_or("config_data has no tenant")?;
    request(o).set_headers.insert("X-Tenant".into(), tenant.into());
    Ok(())
}

fn reply(o: &mut Object) {
    let response = o.response.get_or_insert_default();
    response.multivalue_headers.retain(|h| h.key != "X-Internal" && h.key != "X-Reply");
    response.multivalue_headers.push(Header { key: "X-Reply".into(), values: vec!["sample".into()] });
    response.headers.remove("X-Internal");
    response.headers.insert("X-Reply".into(), "sample".into());
    response.raw_body.extend_from_slice(b" (seen)");
    let accepts = o.request.as_ref().is_some_and(|r| r.headers.contains_key("X-Accept"));
    if response.status_code == 200 && accepts {
        response.status_code = 202;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(hook: &str) -> Object {
        Object { hook_name: hook.into(), ..Default::default() }
    }

    fn with_header(hook: &str, name: &str, value: &str) -> Object {
        let mut o = ask(hook);
        request(&mut o).headers.insert(name.into(), value.into());
        o
    }

    #[tokio::test]
    async fn a_tenant_is_added_from_the_configuration() {
        let mut o = ask("Tenant");
        o.spec.insert("config_data".into(), r#"{"tenant":"acme"}"#.into());
        let o = apply(o).await.unwrap();
        assert_eq!("acme", o.request.unwrap().set_headers["X-Tenant"]);
        assert!(apply(ask("Tenant")).await.is_err());
    }

    #[tokio::test]
    async fn only_the_right_token_is_let_in() {
        let o = apply(with_header("CheckToken", "Authorization", "Bearer let-me-in")).await.unwrap();
        assert_eq!(5000, o.session.unwrap().quota_max);
        assert_eq!("let-me-in", o.metadata["token"]);

        let o = apply(with_header("CheckToken", "Authorization", "Bearer wrong")).await.unwrap();
        assert!(o.session.is_none());
        assert_eq!(401, o.request.unwrap().return_overrides.unwrap().response_code);
    }

    #[tokio::test]
    async fn a_rewrite_keeps_the_query_and_what_is_not_ascii() {
        let mut o = ask("Rewrite");
        request(&mut o).url = "/a/old?x=/old".into();
        request(&mut o).raw_body = "grüße".into();
        let r = apply(o).await.unwrap().request.unwrap();
        assert_eq!("/a/new?x=/old", r.url);
        assert_eq!("GRüßE".as_bytes(), r.raw_body);
        assert_eq!("GRüßE", r.body);
    }

    #[tokio::test]
    async fn a_reply_is_changed() {
        let mut o = with_header("Reply", "X-Accept", "1");
        let response = o.response.get_or_insert_default();
        response.status_code = 200;
        response.raw_body = b"\xff".into();
        response.headers.insert("X-Internal".into(), "a".into());
        response.multivalue_headers.push(Header { key: "X-Internal".into(), values: vec!["a".into()] });
        let response = apply(o).await.unwrap().response.unwrap();
        assert_eq!(202, response.status_code);
        assert_eq!(b"\xff (seen)", response.raw_body.as_slice());
        assert_eq!(HashMap::from([("X-Reply".into(), "sample".into())]), response.headers);
        assert_eq!("X-Reply", response.multivalue_headers[0].key);
        assert_eq!(1, response.multivalue_headers.len());
    }

    #[tokio::test]
    async fn an_unknown_hook_changes_nothing() {
        let o = Object { hook_type: 99, ..ask("Unknown") };
        assert_eq!(o, apply(o.clone()).await.unwrap());
    }
}
