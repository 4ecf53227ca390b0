//! The connect widget, walked through as a browser would.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Mx, guid};

/// The address of a widget for this user.
async fn widget(mx: &Mx, user: &str, more: Value) -> String {
    let mut body = json!({ "widget_url": { "widget_type": "connect_widget" } });
    let fields = body["widget_url"].as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    let path = format!("/users/{user}/widget_urls");
    let (status, answer) = mx.ask(Method::POST, &path, body).await;
    assert_eq!(status, 200, "{answer}");
    answer["widget_url"]["url"].as_str().unwrap().to_owned()
}

/// Opens an address, as only one can; where the session is.
async fn open(mx: &Mx, address: &str) -> String {
    let path = address
        .strip_prefix(&format!("{}/mx", mx.bank.sandbox.url()))
        .unwrap();
    let answer = mx.request(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    format!(
        "{}{}",
        mx.bank.sandbox.url(),
        answer.headers()["location"].to_str().unwrap()
    )
}

/// The names of the fields a page asks for.
fn asked(page: &str) -> Vec<&str> {
    let names = page.split("name=\"CRD-").skip(1);
    names.filter_map(|rest| rest.split('"').next()).collect()
}

async fn members(mx: &Mx, user: &str) -> Vec<String> {
    let listed = mx.get(&format!("/users/{user}/members")).await;
    let members = listed["members"].as_array().unwrap().iter();
    members
        .map(|member| format!("/users/{user}/members/{}", member["guid"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn somebody_connects_past_two_rounds_of_questions() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let address = widget(
        &mx,
        &ana,
        json!({ "client_redirect_url": "https://app.example/done?x=1", "oauth_referral_source": "APP" }),
    )
    .await;
    let page = open(&mx, &address).await;
    let banks = mx.bank.page_at(&format!("{page}?q=mx")).await;
    assert!(banks.contains("MX Bank") && !banks.contains("Hazel Bank"));
    mx.bank.form(&page, &[("institution_code", "mxbank")]).await;
    assert!(mx.bank.page_at(&page).await.contains("Sign in to MX Bank"));
    mx.bank
        .form(
            &page,
            &[
                ("action", "sign_in"),
                ("LOGIN", "mxuser"),
                ("PASSWORD", "image_options_twice"),
            ],
        )
        .await;
    assert!(
        mx.bank
            .page_at(&page)
            .await
            .contains("http-equiv=\"refresh\"")
    );

    let member = members(&mx, &ana).await.remove(0);
    for _ in 0..2 {
        mx.step(&member, 1).await;
        let questions = mx.bank.page_at(&page).await;
        assert!(
            questions.contains("data:image/png;base64,") && questions.contains("type=\"radio\"")
        );
        let field = format!("CRD-{}", asked(&questions)[0]);
        mx.bank
            .form(&page, &[("action", "answer"), (&field, "correct")])
            .await;
    }
    mx.step(&member, 4).await;
    let done = mx.bank.page_at(&page).await;
    assert!(done.contains("Connected to MX Bank") && done.contains("mx/connect/memberConnected"));
    assert!(
        !done.contains("app.example"),
        "the widget itself leads nowhere"
    );
    assert_eq!(mx.oracle(&member).await.len(), 180);
}

#[tokio::test]
async fn the_banks_own_page_leads_to_the_app_that_says_so() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    for (how, leads) in [
        (json!({ "oauth_referral_source": "APP" }), true),
        (json!({ "is_mobile_webview": true }), true),
        (json!({ "oauth_referral_source": "BROWSER" }), false),
        (json!({}), false),
    ] {
        let mut wanted = json!({
            "client_redirect_url": "https://app.example/done?x=1",
            "current_institution_code": "mx_bank_oauth",
        });
        let fields = wanted.as_object_mut().unwrap();
        fields.extend(how.as_object().unwrap().clone());
        let page = open(&mx, &widget(&mx, &ana, wanted).await).await;
        let window = mx.bank.form(&page, &[("action", "oauth")]).await;
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let request = client.build().unwrap().post(&window).body("action=allow");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.send().await.unwrap();
        let back = answer.headers().get("location");
        let back = back.map(|to| to.to_str().unwrap().to_owned());
        let member = members(&mx, &ana).await.pop().unwrap();
        let wanted = format!(
            "https://app.example/done?x=1&status=success&member_guid={}",
            guid(&member)
        );
        assert_eq!(back, leads.then_some(wanted), "{how}");
    }
}

#[tokio::test]
async fn an_address_opens_once_and_not_after_ten_minutes() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let status = async |address: &str| {
        let path = address
            .strip_prefix(&format!("{}/mx", mx.bank.sandbox.url()))
            .unwrap();
        mx.request(Method::GET, path)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    let address = widget(&mx, &ana, json!({})).await;
    assert_eq!((status(&address).await, status(&address).await), (303, 410));
    let late = widget(&mx, &ana, json!({})).await;
    mx.bank
        .control("/clock", json!({ "advance_seconds": 601 }))
        .await;
    assert_eq!(status(&late).await, 410);

    let older = json!({ "config": { "current_institution_code": "mxbank" } });
    let (_, answer) = mx
        .ask(
            Method::POST,
            &format!("/users/{ana}/connect_widget_url"),
            older,
        )
        .await;
    assert_eq!(answer["user"]["guid"], ana);
    let page = open(&mx, answer["user"]["connect_widget_url"].as_str().unwrap()).await;
    assert!(mx.bank.page_at(&page).await.contains("Sign in to MX Bank"));
}

#[tokio::test]
async fn a_refused_login_is_repaired_in_a_widget_of_its_own() {
    let mx = Mx::open().await;
    let (ana, ben) = (mx.user("ana").await, mx.user("ben").await);
    let member = mx.link(&ana, "DENIED").await;
    mx.step(&member, 1).await;
    let repair = json!({ "current_member_guid": guid(&member) });
    let page = open(&mx, &widget(&mx, &ana, repair.clone()).await).await;
    assert!(mx.bank.page_at(&page).await.contains("do not match"));
    mx.bank
        .form(
            &page,
            &[
                ("action", "sign_in"),
                ("LOGIN", "mxuser"),
                ("PASSWORD", "LOCKED"),
            ],
        )
        .await;
    mx.step(&member, 1).await;
    assert!(mx.bank.page_at(&page).await.contains("(LOCKED)"));
    mx.bank.form(&page, &[("action", "edit")]).await;
    mx.bank
        .form(
            &page,
            &[
                ("action", "sign_in"),
                ("LOGIN", "mxuser"),
                ("PASSWORD", "right"),
            ],
        )
        .await;
    assert_eq!(mx.status(&member).await["connection_status"], "UPDATED");
    mx.step(&member, 4).await;
    assert!(
        mx.bank
            .page_at(&page)
            .await
            .contains("Connected to MX Bank")
    );
    assert_eq!(members(&mx, &ana).await, [member]);

    let stranger = json!({ "widget_url": { "widget_type": "connect_widget", "current_member_guid": repair["current_member_guid"] } });
    assert_eq!(
        mx.refused(Method::POST, &format!("/users/{ben}/widget_urls"), stranger)
            .await,
        404
    );
}

#[tokio::test]
async fn a_login_that_is_there_already_is_not_made_twice() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    mx.linked(&ana).await;
    let page = open(
        &mx,
        &widget(&mx, &ana, json!({ "current_institution_code": "mxbank" })).await,
    )
    .await;
    mx.bank
        .form(
            &page,
            &[
                ("action", "sign_in"),
                ("LOGIN", "mxuser"),
                ("PASSWORD", "any"),
            ],
        )
        .await;
    assert!(mx.bank.page_at(&page).await.contains("already exists"));
    assert_eq!(members(&mx, &ana).await.len(), 1);
}

#[tokio::test]
async fn nothing_typed_becomes_markup() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let page = open(&mx, &widget(&mx, &ana, json!({})).await).await;
    let banks = mx.bank.page_at(&format!("{page}?q=%3Cscript%3E")).await;
    assert!(!banks.contains("<script>"));
    let oak = mx.bank.page_at(&format!("{page}?q=oak")).await;
    assert!(oak.contains("Oak &amp; Ash &lt;Private&gt; Bank"));
}
